#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <vector>

#include <thalweg/topology/time_zone.h>

#include "posix_time_zone.h"

namespace thalweg {
namespace {

using std::chrono::seconds;

/// From `at` on, seconds since the epoch, clocks are `offset` ahead of UTC.
struct Transition {
  std::int64_t at;
  std::int64_t offset;
};

/// Reads a file of the time zone database (RFC 8536, versions 2 and later).
class ZoneFile {
 public:
  explicit ZoneFile(std::string bytes) : bytes_(std::move(bytes)) {}

  std::vector<Transition> read() {
    skip_block(4);  // Version 1's, with times of 4 bytes.
    const Counts counts = header();
    std::vector<Transition> transitions(counts.times);
    for (auto& transition : transitions) transition.at = number(8);
    std::vector<std::size_t> types(counts.times);
    for (auto& type : types) type = static_cast<std::size_t>(number(1) & 0xff);
    std::vector<std::int64_t> offsets(counts.types);
    for (auto& offset : offsets) {
      offset = number(4);
      take(2);  // Whether it is summer time, and where its name is.
    }
    if (offsets.empty()) throw std::invalid_argument("no local time");
    for (std::size_t i = 0; i < transitions.size(); ++i) {
      transitions[i].offset = offsets.at(types[i]);
    }
    transitions.insert(transitions.begin(),
                       {std::numeric_limits<std::int64_t>::min(), offsets.front()});
    take(counts.chars + counts.leaps * 12 + counts.standards + counts.universals);
    const std::string footer = bytes_.substr(at_);
    if (footer.size() > 2) append_rule(footer.substr(1, footer.size() - 2), transitions);
    return transitions;
  }

 private:
  struct Counts {
    std::size_t universals, standards, leaps, times, types, chars;
  };

  std::string_view take(std::size_t size) {
    if (bytes_.size() - at_ < size) throw std::invalid_argument("it ends early");
    const auto part = std::string_view(bytes_).substr(at_, size);
    at_ += size;
    return part;
  }
  std::int64_t number(std::size_t size) {
    const auto part = take(size);
    auto value = static_cast<std::uint64_t>(
        static_cast<std::int64_t>(static_cast<signed char>(part.front())));
    for (const char byte : part.substr(1)) value = value << 8 | static_cast<unsigned char>(byte);
    return static_cast<std::int64_t>(value);
  }
  std::size_t count() { return static_cast<std::size_t>(number(4)); }
  Counts header() {
    const auto start = take(20);
    if (!start.starts_with("TZif") || start[4] < '2') throw std::invalid_argument("no such file");
    Counts counts{};
    counts.universals = count();
    counts.standards = count();
    counts.leaps = count();
    counts.times = count();
    counts.types = count();
    counts.chars = count();
    return counts;
  }
  void skip_block(std::size_t time_size) {
    const Counts counts = header();
    take(counts.times * (time_size + 1) + counts.types * 6 + counts.chars +
         counts.leaps * (time_size + 4) + counts.standards + counts.universals);
  }
  /// What the rule at the file's end says of the years behind its last transition.
  static void append_rule(std::string_view text, std::vector<Transition>& transitions) {
    constexpr int kLastYear = 2100;
    const auto rule = internal::PosixTimeZone::parse(text);
    const std::int64_t known = transitions.back().at;
    if (!rule.has_summer()) {
      if (transitions.back().offset != rule.standard_offset()) {
        transitions.push_back({known + 1, rule.standard_offset()});
      }
      return;
    }
    const int first = known < 0 ? 1970 : internal::year_of(known);
    for (int year = first; year <= kLastYear; ++year) {
      for (const auto& [at, offset] : rule.changes_of(year)) {
        if (at > known) transitions.push_back({at, offset});
      }
    }
  }

  std::string bytes_;
  std::size_t at_ = 0;
};

std::vector<Transition> read_zone(std::string_view name) {
  const char* directory = std::getenv("TZDIR");
  const std::string path =
      std::string(directory ? directory : "/usr/share/zoneinfo") + "/" + std::string(name);
  std::ifstream file(path, std::ios::binary);
  const bool is_safe = !name.empty() && name.front() != '/' && name.find("..") == name.npos;
  std::string bytes;
  if (is_safe && file) bytes = (std::ostringstream() << file.rdbuf()).str();
  if (bytes.empty()) {
    throw std::invalid_argument("there is no time zone \"" + std::string(name) + "\" (looked in " +
                                path + ")");
  }
  try {
    return ZoneFile(std::move(bytes)).read();
  } catch (const std::exception& error) {
    throw std::invalid_argument("time zone " + std::string(name) + ": " + path +
                                " cannot be read: " + error.what());
  }
}

}  // namespace

struct TimeZone::Rules {
  std::string name;
  std::vector<Transition> transitions;  // The first from the beginning of time on.

  std::int64_t offset_at(std::int64_t time) const {
    const auto next = std::ranges::upper_bound(transitions, time, {}, &Transition::at);
    return std::prev(next)->offset;
  }
};

TimeZone TimeZone::utc() {
  static const auto rules =
      std::make_shared<const Rules>(Rules{"UTC", {{std::numeric_limits<std::int64_t>::min(), 0}}});
  return TimeZone(rules);
}

TimeZone TimeZone::of(std::string_view name) {
  if (name == "UTC") return utc();
  return TimeZone(std::make_shared<const Rules>(Rules{std::string(name), read_zone(name)}));
}

const std::string& TimeZone::name() const { return rules_->name; }

seconds TimeZone::offset_at(Timestamp time) const {
  return seconds(rules_->offset_at(std::chrono::floor<seconds>(time.time_since_epoch()).count()));
}

bool TimeZone::is_fixed() const { return rules_->transitions.size() == 1; }

Timestamp TimeZone::start_of(std::chrono::sys_days day) const {
  constexpr std::int64_t kDay = 24 * 60 * 60;
  const std::int64_t midnight = std::chrono::seconds(day.time_since_epoch()).count();
  const std::int64_t before = rules_->offset_at(midnight - kDay);
  const std::int64_t behind = rules_->offset_at(midnight + kDay);
  // The greater offset makes the earlier moment.
  for (const std::int64_t offset : {std::max(before, behind), std::min(before, behind)}) {
    if (rules_->offset_at(midnight - offset) == offset) {
      return from_millis((midnight - offset) * 1000);
    }
  }
  // Midnight is skipped: the day begins with the change.
  const auto change =
      std::ranges::upper_bound(rules_->transitions, midnight - kDay, {}, &Transition::at);
  return from_millis(change->at * 1000);
}

std::chrono::sys_days TimeZone::day_of(Timestamp time) const {
  return std::chrono::floor<std::chrono::days>(
      std::chrono::sys_seconds(std::chrono::floor<seconds>(time.time_since_epoch())) +
      offset_at(time));
}

}  // namespace thalweg
