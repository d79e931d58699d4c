#include "text.h"

#include <cctype>
#include <chrono>

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace thalweg::shop {
namespace {

/// Writes `value` with exactly `digits` digits, ending before `end`.
void put_digits(char* end, unsigned value, int digits) {
  for (int i = 0; i < digits; ++i) {
    *--end = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

/// Reads a text of fixed form piece by piece; remembers whether all of it was as it should be.
class TimeText {
 public:
  explicit TimeText(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value * 10 + digit();
    return value;
  }
  /// `.123456` as milliseconds; 0 when there is none.
  int fraction() {
    if (!rest_.starts_with('.')) return 0;
    rest_.remove_prefix(1);
    int millis = 0;
    int count = 0;
    for (; !rest_.empty() && is_digit(rest_.front()); ++count) {
      const int value = digit();
      if (count < 3) millis = millis * 10 + value;
    }
    good_ = good_ && count >= 1 && count <= 9;
    for (; count < 3; ++count) millis *= 10;
    return millis;
  }
  /// `Z` or `+02:00`, in minutes.
  int offset() {
    if (rest_ == "Z") {
      rest_ = {};
      return 0;
    }
    const bool west = rest_.starts_with('-');
    if (!west) {
      expect('+');
    } else {
      rest_.remove_prefix(1);
    }
    const int hours = digits(2);
    expect(':');
    const int minutes = digits(2);
    good_ = good_ && hours < 24 && minutes < 60;
    return (west ? -1 : 1) * (60 * hours + minutes);
  }
  void expect(char c) {
    good_ = good_ && rest_.starts_with(c);
    if (!rest_.empty()) rest_.remove_prefix(1);
  }
  bool good() const { return good_ && rest_.empty(); }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  int digit() {
    good_ = good_ && !rest_.empty() && is_digit(rest_.front());
    if (!good_) return 0;
    const int value = rest_.front() - '0';
    rest_.remove_prefix(1);
    return value;
  }

  std::string_view rest_;
  bool good_ = true;
};

constexpr boost::uuids::uuid kNamespace = {{0x3d, 0x1a, 0x5c, 0x0e, 0x7b, 0x52, 0x4f, 0x08, 0x9a,
                                            0x41, 0x60, 0x2b, 0xd7, 0x18, 0xe4, 0x93}};

}  // namespace

void append_iso8601(std::int64_t millis, std::string& out) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds{millis}};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const auto rest = static_cast<unsigned>((time - day).count());
  char text[] = "0000-00-00T00:00:00.000Z";
  put_digits(text + 4, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put_digits(text + 7, static_cast<unsigned>(date.month()), 2);
  put_digits(text + 10, static_cast<unsigned>(date.day()), 2);
  put_digits(text + 13, rest / 3'600'000, 2);
  put_digits(text + 16, rest / 60'000 % 60, 2);
  put_digits(text + 19, rest / 1000 % 60, 2);
  put_digits(text + 23, rest % 1000, 3);
  out.append(text, 24);
}

std::string iso8601(std::int64_t millis) {
  std::string out;
  append_iso8601(millis, out);
  return out;
}

std::optional<std::int64_t> parse_iso8601(std::string_view text) {
  using namespace std::chrono;
  TimeText from(text);
  const int years = from.digits(4);
  from.expect('-');
  const int months = from.digits(2);
  from.expect('-');
  const year_month_day date{year{years}, month{static_cast<unsigned>(months)},
                            day{static_cast<unsigned>(from.digits(2))}};
  from.expect('T');
  const int hour = from.digits(2);
  from.expect(':');
  const int minute = from.digits(2);
  from.expect(':');
  const int second = from.digits(2);
  const int millis = from.fraction();
  const int offset = from.offset();
  if (!from.good() || !date.ok() || hour > 23 || minute > 59 || second > 59) return {};
  const auto time = sys_days{date} + hours{hour} + minutes{minute - offset} + seconds{second} +
                    milliseconds{millis};
  const std::int64_t since_epoch = time.time_since_epoch().count();
  if (since_epoch < 0) return {};
  return since_epoch;
}

std::string derived_id(std::string_view space, std::string_view name) {
  thread_local std::string key;
  key.assign(space);
  key += '\n';
  key += name;
  return boost::uuids::to_string(boost::uuids::name_generator_sha1(kNamespace)(key));
}

std::string random_id() {
  thread_local boost::uuids::random_generator_mt19937 generator;
  return boost::uuids::to_string(generator());
}

std::string percent_encoded(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '.' || c == '_') {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace thalweg::shop
