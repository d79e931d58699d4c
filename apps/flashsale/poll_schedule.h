#pragma once

#include <algorithm>
#include <chrono>

namespace thalweg::flashsale {

/// When to ask again whether an order is finished.
///
/// The first question comes `first` after the answer to the order, and each further one when the
/// order's age since that answer has grown by half: few questions for a slow order, and what is
/// read is never later than the truth by more than a third of the age read (at most `longest`).
class PollSchedule {
 public:
  using Duration = std::chrono::milliseconds;

  explicit PollSchedule(Duration first = Duration(2), Duration longest = Duration(500))
      : first_(std::max(first, Duration(1))), longest_(std::max(longest, first_)) {}

  /// How long to wait when `age` has passed since the order was accepted.
  Duration next_delay(Duration age) const { return std::clamp(age / 2, first_, longest_); }

  Duration first() const { return first_; }
  Duration longest() const { return longest_; }

 private:
  Duration first_;
  Duration longest_;
};

}  // namespace thalweg::flashsale
