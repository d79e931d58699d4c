#include <thalweg/runtime/clock.h>

namespace thalweg {

namespace {

class SystemClock final : public Clock {
 public:
  Timestamp wall_clock() const override {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
  Instant now() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

void ManualClock::advance(std::chrono::nanoseconds by) {
  instant_ += by;
  remainder_ += by;
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(remainder_);
  wall_ += whole;
  remainder_ -= whole;
}

}  // namespace thalweg
