#include "query_fields.h"

#include <charconv>

#include "text.h"

namespace thalweg::shop {
namespace {

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

}  // namespace

std::int64_t query_number(const HttpRequest& request, std::string_view name, std::int64_t otherwise,
                          std::int64_t min, std::int64_t max, Faults& faults) {
  const auto text = request.query(name);
  if (!text) return otherwise;
  const auto number = whole_number(*text);
  if (number && *number >= min && *number <= max) return *number;
  faults.push_back(std::string(name) + " is not a whole number between " + std::to_string(min) +
                   " and " + std::to_string(max));
  return otherwise;
}

std::optional<std::int64_t> query_time(const HttpRequest& request, std::string_view name,
                                       Faults& faults) {
  const auto text = request.query(name);
  if (!text) return {};
  const auto millis = whole_number(*text);
  if (millis && *millis >= 0) return millis;
  const auto time = parse_iso8601(*text);
  if (!time) {
    faults.push_back(std::string(name) +
                     " is neither an ISO-8601 time in UTC nor milliseconds since 1970");
  }
  return time;
}

}  // namespace thalweg::shop
