#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <thalweg/runtime/http_server.h>

#include "json_fields.h"

// What requests say behind the question mark. What is wrong is added to the faults.
namespace thalweg::shop {

/// A whole number from `min` to `max`; absent: `otherwise`.
std::int64_t query_number(const HttpRequest& request, std::string_view name, std::int64_t otherwise,
                          std::int64_t min, std::int64_t max, Faults& faults);

/// An ISO-8601 time in UTC, or milliseconds since the Unix epoch.
std::optional<std::int64_t> query_time(const HttpRequest& request, std::string_view name,
                                       Faults& faults);

/// The start of the period of that length that holds `millis`, in UTC.
inline std::int64_t start_of_period(std::int64_t millis, std::chrono::milliseconds length) {
  return millis - millis % length.count();
}

}  // namespace thalweg::shop
