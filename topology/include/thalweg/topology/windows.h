#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include <thalweg/state/windowed.h>

namespace thalweg {

// How a stream is cut into windows. Every definition has a grace period: how much later than a
// window's end its records may still come, by the stream time that the aggregation has observed.
// All times are in whole milliseconds; what cannot be is refused with std::invalid_argument.

/// When a windowed aggregation passes its results on.
enum class EmitStrategy : std::uint8_t {
  kOnWindowUpdate,  ///< With every record.
  kOnWindowClose,   ///< Once, when a window's end and grace have passed: its final result.
};

namespace internal {

/// When the results of a windowed stream go on.
struct Emission {
  EmitStrategy strategy = EmitStrategy::kOnWindowUpdate;
  std::optional<std::chrono::milliseconds> close_when_idle = {};
};

}  // namespace internal

/// Windows of one size that begin at the epoch and then every `advance`: tumbling when that is the
/// size, hopping when it is less. A window [start, end) does not hold its end.
class TimeWindows {
 public:
  using Duration = std::chrono::milliseconds;

  static TimeWindows of_size_with_no_grace(Duration size) {
    return of_size_and_grace(size, Duration(0));
  }
  static TimeWindows of_size_and_grace(Duration size, Duration grace);
  /// Throws unless 0 < advance <= size.
  TimeWindows advance_by(Duration advance) const;

  Duration size() const { return size_; }
  Duration grace() const { return grace_; }
  Duration advance() const { return advance_; }
  /// What a store must keep for it.
  Duration retention() const { return size_ + grace_; }

  /// Calls `visit(Window)` with each window that holds `time`, by ascending start. Throws
  /// std::invalid_argument if one of them would end beyond the end of time.
  template <typename Visit>
  void for_each_window(Timestamp time, Visit visit) const {
    const auto [first, last] = starts_around(time);
    for (Timestamp start = first; start <= last; start += advance_) {
      visit(Window{start, start + size_});
    }
  }
  /// The starts of the first and the last window that holds `time`. Throws as for_each_window().
  std::pair<Timestamp, Timestamp> starts_around(Timestamp time) const {
    const Timestamp last = last_start(time);
    check_end(last);
    return {first_start(time), last};
  }
  /// Between which starts, both included, lie the windows that have closed by `close_time`, and may
  /// not have by `last` (kNoTimestamp: never looked before).
  std::optional<std::pair<Timestamp, Timestamp>> closed_since(Timestamp last,
                                                              Timestamp close_time) const;

 private:
  /// Whether the same windows hold both times.
  bool same_windows(Timestamp a, Timestamp b) const {
    return first_start(a) == first_start(b) && last_start(a) == last_start(b);
  }
  TimeWindows(Duration size, Duration advance, Duration grace)
      : size_(size), advance_(advance), grace_(grace) {}
  void check_end(Timestamp start) const;
  Timestamp first_start(Timestamp time) const {
    return last_start(std::max(from_millis(0), time - size_ + advance_));
  }
  Timestamp last_start(Timestamp time) const { return time - time.time_since_epoch() % advance_; }

  Duration size_;
  Duration advance_;
  Duration grace_;
};

/// One window from a start on, without an end.
class UnlimitedWindows {
 public:
  using Duration = std::chrono::milliseconds;

  static UnlimitedWindows of() { return {}; }
  /// Records before `start` belong to no window.
  UnlimitedWindows start_on(Timestamp start) const;

  Duration size() const { return Duration::max(); }
  Duration grace() const { return Duration(0); }
  Duration retention() const { return Duration::max(); }
  template <typename Visit>
  void for_each_window(Timestamp time, Visit visit) const {
    if (time >= start_) visit(Window{start_, kEndOfTime});
  }

 private:
  Timestamp start_ = from_millis(0);
};

/// Windows around the records: for each record one that ends with it, and one that begins just
/// behind it if there are later records; they hold what is at most `time_difference` apart. A
/// window [start, end] holds its end.
class SlidingWindows {
 public:
  using Duration = std::chrono::milliseconds;

  static SlidingWindows of_time_difference_with_no_grace(Duration difference) {
    return of_time_difference_and_grace(difference, Duration(0));
  }
  static SlidingWindows of_time_difference_and_grace(Duration difference, Duration grace);

  Duration time_difference() const { return difference_; }
  Duration size() const { return difference_; }
  Duration grace() const { return grace_; }
  /// Windows are made from those up to twice the difference back.
  Duration retention() const { return 2 * difference_ + grace_; }

 private:
  SlidingWindows(Duration difference, Duration grace) : difference_(difference), grace_(grace) {}

  Duration difference_;
  Duration grace_;
};

/// Windows of activity: records at most `inactivity_gap` apart belong to one session, which ends
/// with its last record.
class SessionWindows {
 public:
  using Duration = std::chrono::milliseconds;

  static SessionWindows of_inactivity_gap_with_no_grace(Duration gap) {
    return of_inactivity_gap_and_grace(gap, Duration(0));
  }
  static SessionWindows of_inactivity_gap_and_grace(Duration gap, Duration grace);

  Duration inactivity_gap() const { return gap_; }
  Duration grace() const { return grace_; }
  Duration retention() const { return gap_ + grace_; }

 private:
  SessionWindows(Duration gap, Duration grace) : gap_(gap), grace_(grace) {}

  Duration gap_;
  Duration grace_;
};

}  // namespace thalweg
