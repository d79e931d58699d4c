#include "text.h"

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

}  // namespace thalweg::shop
