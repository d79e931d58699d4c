#pragma once

#include <chrono>

namespace thalweg {

/// Which records of two streams belong together: those whose times are near enough.
///
/// A record of this stream at time t joins those of the other from t - before() to t + after(),
/// inclusive. Results that say "nobody came" (left and outer joins) wait until the window has
/// closed: grace() after its end, by stream time.
class JoinWindows {
 public:
  /// Records at most `difference` apart. All three throw std::invalid_argument where a window would
  /// end before it begins, or the grace is negative.
  static JoinWindows of_time_difference_with_no_grace(std::chrono::milliseconds difference);
  static JoinWindows of_time_difference_and_grace(std::chrono::milliseconds difference,
                                                  std::chrono::milliseconds grace);

  /// The same, with another bound for what comes before or after. A negative one is behind the
  /// record's own time.
  JoinWindows before(std::chrono::milliseconds before) const;
  JoinWindows after(std::chrono::milliseconds after) const;

  std::chrono::milliseconds before() const { return before_; }
  std::chrono::milliseconds after() const { return after_; }
  std::chrono::milliseconds grace() const { return grace_; }
  std::chrono::milliseconds size() const { return before_ + after_; }

 private:
  JoinWindows(std::chrono::milliseconds before, std::chrono::milliseconds after,
              std::chrono::milliseconds grace);

  std::chrono::milliseconds before_;
  std::chrono::milliseconds after_;
  std::chrono::milliseconds grace_;
};

}  // namespace thalweg
