#include <cstdio>
#include <cstdlib>

#include <thalweg/schemas/check.h>

namespace thalweg::internal {

void check_failed(std::string_view condition, std::string_view message, std::string_view file,
                  int line) {
  std::fprintf(stderr, "%.*s:%d: broken invariant `%.*s`: %.*s\n", static_cast<int>(file.size()),
               file.data(), line, static_cast<int>(condition.size()), condition.data(),
               static_cast<int>(message.size()), message.data());
  std::fflush(stderr);
  std::abort();
}

}  // namespace thalweg::internal
