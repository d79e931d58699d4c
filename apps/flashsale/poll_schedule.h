#pragma once

#include <algorithm>
#include <chrono>

namespace thalweg::flashsale {

/// When to ask again whether an order is finished.
///
/// The first question comes when an order has half the age at which the latest ones were finished,
/// and waits in the shop for the rest; one that was answered too early is asked again when the age
/// has grown by a third. So an order costs little more than one question, slow shop or fast.
class PollSchedule {
 public:
  using Duration = std::chrono::milliseconds;

  explicit PollSchedule(Duration first = Duration(2), Duration longest = Duration(500))
      : shortest_(std::max(first, Duration(1))), longest_(std::max(longest, shortest_)) {}

  /// How long to wait after an order was accepted.
  Duration first() const {
    return std::clamp(Duration(static_cast<std::int64_t>(usual_ / 2)), shortest_, longest_);
  }
  /// How long to wait when `age` has passed since the order was accepted.
  Duration next_delay(Duration age) const { return std::clamp(age / 3, shortest_, longest_); }
  Duration longest() const { return longest_; }

  /// An order was read as finished at that age.
  void finished(Duration age) {
    constexpr double kWeight = 1.0 / 256;
    usual_ += (static_cast<double>(age.count()) - usual_) * kWeight;
  }

 private:
  Duration shortest_;
  Duration longest_;
  double usual_ = 0;  // Milliseconds.
};

}  // namespace thalweg::flashsale
