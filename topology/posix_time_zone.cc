#include "posix_time_zone.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <stdexcept>
#include <string>

namespace thalweg::internal {
namespace {

namespace chrono = std::chrono;

constexpr std::int64_t kHour = 60 * 60;
constexpr std::int64_t kDay = 24 * kHour;

std::int64_t seconds_of(chrono::sys_days day) { return day.time_since_epoch().count() * kDay; }

}  // namespace

class PosixTimeZone::Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
  void skip(char c) {
    if (!next_is(c)) fail();
    rest_.remove_prefix(1);
  }
  /// A zone's name: letters, or anything between < and >.
  void skip_name() {
    if (next_is('<')) {
      const auto end = rest_.find('>');
      if (end == rest_.npos) fail();
      rest_.remove_prefix(end + 1);
      return;
    }
    const auto end = std::ranges::find_if(
        rest_, [](char c) { return std::isalpha(static_cast<unsigned char>(c)) == 0; });
    if (end - rest_.begin() < 3) fail();
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.begin()));
  }
  std::int64_t number() {
    std::int64_t value = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && digits < 4; ++digits) {
      const char c = rest_[digits];
      if (c < '0' || c > '9') break;
      value = value * 10 + (c - '0');
    }
    if (digits == 0) fail();
    rest_.remove_prefix(digits);
    return value;
  }
  /// `[+-]hh[:mm[:ss]]` in seconds.
  std::int64_t time() {
    const bool is_negative = next_is('-');
    if (is_negative || next_is('+')) rest_.remove_prefix(1);
    std::int64_t seconds = number() * kHour;
    for (const std::int64_t unit : {60, 1}) {
      if (!next_is(':')) break;
      skip(':');
      seconds += number() * unit;
    }
    return is_negative ? -seconds : seconds;
  }
  Change change() {
    skip(',');
    skip('M');
    Change change;
    change.month = static_cast<unsigned>(number());
    skip('.');
    change.week = static_cast<unsigned>(number());
    skip('.');
    change.weekday = static_cast<unsigned>(number());
    if (change.month < 1 || change.month > 12 || change.week < 1 || change.week > 5 ||
        change.weekday > 6) {
      fail();
    }
    if (next_is('/')) {
      skip('/');
      change.time = time();
    }
    return change;
  }
  [[noreturn]] void fail() const {
    throw std::invalid_argument("the rule \"" + std::string(text_) + "\" is not understood");
  }

 private:
  std::string_view text_;
  std::string_view rest_;
};

PosixTimeZone PosixTimeZone::parse(std::string_view text) {
  Reader reader(text);
  PosixTimeZone zone;
  reader.skip_name();
  zone.standard_ = -reader.time();  // POSIX counts westward.
  if (reader.at_end()) return zone;
  Summer summer{.offset = zone.standard_ + kHour, .begin = {}, .end = {}};
  reader.skip_name();
  if (!reader.next_is(',')) summer.offset = -reader.time();
  summer.begin = reader.change();
  summer.end = reader.change();
  if (!reader.at_end()) reader.fail();
  zone.summer_ = summer;
  return zone;
}

std::array<std::pair<std::int64_t, std::int64_t>, 2> PosixTimeZone::changes_of(int year) const {
  const auto moment = [year](const Change& change, std::int64_t offset_before) {
    const chrono::year_month month{chrono::year(year), chrono::month(change.month)};
    const chrono::weekday weekday(change.weekday);
    const auto day = change.week == 5
                         ? chrono::sys_days(month / chrono::weekday_last(weekday))
                         : chrono::sys_days(month / chrono::weekday_indexed(weekday, change.week));
    return seconds_of(day) + change.time - offset_before;
  };
  std::array<std::pair<std::int64_t, std::int64_t>, 2> changes{
      std::pair(moment(summer_->begin, standard_), summer_->offset),
      std::pair(moment(summer_->end, summer_->offset), standard_)};
  std::ranges::sort(changes);
  return changes;
}

int year_of(std::int64_t time) {
  const auto day = chrono::floor<chrono::days>(chrono::sys_seconds(chrono::seconds(time)));
  return static_cast<int>(chrono::year_month_day(day).year());
}

}  // namespace thalweg::internal
