#include <algorithm>
#include <stdexcept>
#include <utility>

#include <thalweg/topology/calendar_windows.h>

namespace thalweg {

namespace chrono = std::chrono;

CalendarWindows::CalendarWindows(Unit unit, TimeZone zone, Duration grace)
    : unit_(unit), zone_(std::move(zone)), grace_(grace) {
  if (grace < Duration(0)) throw std::invalid_argument("Grace period must not be negative.");
  constexpr int kLongest[] = {1, 7, 31};
  size_ = chrono::days(kLongest[static_cast<int>(unit)]);
  if (!zone_.is_fixed()) size_ += chrono::hours(1);
}

CalendarWindows CalendarWindows::days(TimeZone zone, Duration grace) {
  return {Unit::kDay, std::move(zone), grace};
}
CalendarWindows CalendarWindows::weeks(TimeZone zone, Duration grace) {
  return {Unit::kWeek, std::move(zone), grace};
}
CalendarWindows CalendarWindows::months(TimeZone zone, Duration grace) {
  return {Unit::kMonth, std::move(zone), grace};
}

chrono::sys_days CalendarWindows::first_day(chrono::sys_days day) const {
  switch (unit_) {
    case Unit::kDay:
      break;
    case Unit::kWeek:
      return day - (chrono::weekday(day) - chrono::Monday);
    case Unit::kMonth:
      const chrono::year_month_day date(day);
      return date.year() / date.month() / 1;
  }
  return day;
}

Timestamp CalendarWindows::start_of(Timestamp time) const {
  return zone_.start_of(first_day(zone_.day_of(time)));
}

std::optional<std::pair<Timestamp, Timestamp>> CalendarWindows::closed_since(
    Timestamp last, Timestamp close_time) const {
  const Timestamp epoch = from_millis(0);
  const Timestamp to = start_of(close_time) - Duration(1);
  const Timestamp from = last == kNoTimestamp ? epoch : std::max(epoch, start_of(last));
  if (to < from) return std::nullopt;
  return std::pair(from, to);
}

Timestamp CalendarWindows::end_of(Timestamp start) const {
  const auto first = first_day(zone_.day_of(start));
  switch (unit_) {
    case Unit::kDay:
      break;
    case Unit::kWeek:
      return zone_.start_of(first + chrono::weeks(1));
    case Unit::kMonth:
      return zone_.start_of(first_day(first + chrono::days(31)));
  }
  return zone_.start_of(first + chrono::days(1));
}

}  // namespace thalweg
