#pragma once

#include <chrono>

#include <thalweg/schemas/timestamp.h>

namespace thalweg {

/// The only source of time: injected, so that tests and the simulator own it. Thread-safe.
class Clock {
 public:
  /// A moment on a clock that never jumps: for intervals and deadlines.
  using Instant = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

  virtual ~Clock() = default;
  virtual Timestamp wall_clock() const = 0;
  virtual Instant now() const = 0;
};

/// The machine's clocks.
Clock& system_clock();

/// A clock that stands still until it is moved.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start = from_millis(0)) : wall_(start) {}
  Timestamp wall_clock() const override { return wall_; }
  Instant now() const override { return instant_; }
  void advance(std::chrono::nanoseconds by);

 private:
  Timestamp wall_;
  Instant instant_{};
  std::chrono::nanoseconds remainder_{0};
};

}  // namespace thalweg
