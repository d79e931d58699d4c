#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <thalweg/schemas/timestamp.h>

namespace thalweg {

/// What clocks on the wall show in one place, by the system's time zone database
/// (`/usr/share/zoneinfo`, or the directory in TZDIR). Known up to the year 2100; later times have
/// the last offset known. A small handle: copies share what was read. Thread-safe.
class TimeZone {
 public:
  /// The zone without changes of clocks.
  static TimeZone utc();
  /// Reads a zone, such as `Europe/Berlin`. Throws std::invalid_argument for a name that the
  /// database does not have, or a file that is damaged.
  static TimeZone of(std::string_view name);

  const std::string& name() const;
  /// What is added to UTC then.
  std::chrono::seconds offset_at(Timestamp time) const;
  /// Whether all days have 24 hours.
  bool is_fixed() const;
  /// When the day `days` after 1970-01-01 begins: at midnight, or where clocks skip midnight, just
  /// behind the gap; where they show it twice, the first time.
  Timestamp start_of(std::chrono::sys_days day) const;
  /// The date on the wall then.
  std::chrono::sys_days day_of(Timestamp time) const;

 private:
  struct Rules;
  explicit TimeZone(std::shared_ptr<const Rules> rules) : rules_(std::move(rules)) {}

  std::shared_ptr<const Rules> rules_;
};

}  // namespace thalweg
