#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include <thalweg/schemas/timestamp.h>
#include <thalweg/state/windowed.h>
#include <thalweg/topology/time_zone.h>

namespace thalweg {

/// Windows of whole days, weeks or months of the calendar in a time zone, one after the other:
/// tumbling windows whose sizes differ. A day on which clocks change has 23 or 25 hours, and its
/// window knows; only a store or a query, which knows but a window's start, shows the longest size.
/// Throws std::invalid_argument for a negative grace.
class CalendarWindows {
 public:
  using Duration = std::chrono::milliseconds;

  static CalendarWindows days(TimeZone zone, Duration grace = Duration(0));
  /// From Monday to Sunday.
  static CalendarWindows weeks(TimeZone zone, Duration grace = Duration(0));
  static CalendarWindows months(TimeZone zone, Duration grace = Duration(0));

  /// Of the longest window.
  Duration size() const { return size_; }
  Duration grace() const { return grace_; }
  /// What a store must keep for it.
  Duration retention() const { return size_ + grace_; }

  /// The start of the window that holds `time`.
  Timestamp start_of(Timestamp time) const;
  /// The end of the window that starts there.
  Timestamp end_of(Timestamp start) const;
  /// As TimeWindows::closed_since().
  std::optional<std::pair<Timestamp, Timestamp>> closed_since(Timestamp last,
                                                              Timestamp close_time) const;
  /// Calls `visit(Window)` with the window that holds `time`.
  template <typename Visit>
  void for_each_window(Timestamp time, Visit visit) const {
    const Timestamp start = start_of(time);
    if (start >= from_millis(0)) visit(Window{start, end_of(start)});
  }

 private:
  enum class Unit : std::uint8_t { kDay, kWeek, kMonth };

  CalendarWindows(Unit unit, TimeZone zone, Duration grace);
  std::chrono::sys_days first_day(std::chrono::sys_days day) const;

  Unit unit_;
  TimeZone zone_;
  Duration size_;
  Duration grace_;
};

}  // namespace thalweg
