#pragma once

#include <charconv>
#include <cstdint>
#include <limits>
#include <string>

#include <CLI/CLI.hpp>

namespace thalweg::cli {

/// Checks that an option is a whole number from `from` on, up to `to`. What is none is refused in
/// words; the library's own checks print the limits of a double.
inline CLI::Validator whole_number(std::int64_t from,
                                   std::int64_t to = std::numeric_limits<std::int64_t>::max()) {
  const bool open = to == std::numeric_limits<std::int64_t>::max();
  const std::string range = std::to_string(from) + (open ? "" : " to " + std::to_string(to));
  const auto check = [from, to, range](std::string& text) -> std::string {
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    const bool whole = read.ec == std::errc{} && read.ptr == end;
    if (whole && number >= from && number <= to) return {};
    return "a whole number from " + range + ", not " + text;
  };
  // How --help writes it.
  std::string name = "INT in [" + std::to_string(from) + " - " + std::to_string(to) + "]";
  if (open && from <= 1) name = from == 1 ? "POSITIVE" : "NONNEGATIVE";
  return CLI::Validator(check, name);
}

}  // namespace thalweg::cli
