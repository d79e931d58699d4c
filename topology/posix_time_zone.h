#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace thalweg::internal {

/// The rule behind the last known change of clocks, as POSIX writes it:
/// `CET-1CEST,M3.5.0,M10.5.0/3`.
class PosixTimeZone {
 public:
  /// Throws std::invalid_argument for what is no such rule.
  static PosixTimeZone parse(std::string_view text);

  bool has_summer() const { return summer_.has_value(); }
  /// Seconds to add to UTC.
  std::int64_t standard_offset() const { return standard_; }
  /// The two changes of a year, earlier first: seconds since the epoch, and the offset from then.
  std::array<std::pair<std::int64_t, std::int64_t>, 2> changes_of(int year) const;

 private:
  /// `M3.5.0/2`: the last (5) Sunday (0) of March at 2 o'clock, by the clocks before the change.
  struct Change {
    unsigned month = 1;
    unsigned week = 1;
    unsigned weekday = 0;
    std::int64_t time = 2 * 60 * 60;
  };
  struct Summer {
    std::int64_t offset = 0;
    Change begin;
    Change end;
  };
  class Reader;

  std::int64_t standard_ = 0;
  std::optional<Summer> summer_;
};

/// The year of a time in seconds since the epoch.
int year_of(std::int64_t time);

}  // namespace thalweg::internal
