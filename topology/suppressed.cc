#include <stdexcept>

#include <thalweg/topology/suppressed.h>

namespace thalweg {

Suppressed Suppressed::until_window_closes(BufferConfig buffer, std::string name) {
  if (buffer.when_full == BufferFull::kEmitEarly) {
    throw std::invalid_argument(
        "until_window_closes needs a buffer that does not emit early: its results are final");
  }
  return {std::nullopt, std::move(buffer), std::move(name)};
}

Suppressed Suppressed::until_time_limit(std::chrono::milliseconds wait, BufferConfig buffer,
                                        std::string name) {
  return {wait, std::move(buffer), std::move(name)};
}

}  // namespace thalweg
