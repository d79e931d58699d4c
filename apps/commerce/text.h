#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <thalweg/runtime/json_text.h>

namespace thalweg::shop {

/// `2026-11-21T09:30:00.123Z`.
void append_iso8601(std::int64_t millis, std::string& out);
std::string iso8601(std::int64_t millis);
/// Reads such a time, of the years 1970 to 9999: the fraction may be absent or have up to nine
/// digits, of which three count; instead of Z there may be an offset, +02:00.
std::optional<std::int64_t> parse_iso8601(std::string_view text);

/// A UUID that `name` always gives within `space`: ids that a retry or a replay makes again.
std::string derived_id(std::string_view space, std::string_view name);
/// A UUID nobody else has.
std::string random_id();

/// As it can stand in a URL's path or query; no byte of it means anything to HTTP.
std::string percent_encoded(std::string_view text);

/// Writes one JSON object member by member, straight into a string.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) { out_ += '{'; }

  JsonWriter& text(std::string_view name, std::string_view value) {
    begin(name);
    if (is_plain(value)) [[likely]] {
      out_ += '"';
      out_ += value;
      out_ += '"';
    } else {
      append_json_string(value, out_);
    }
    return *this;
  }
  /// null when empty.
  JsonWriter& text_or_null(std::string_view name, std::string_view value) {
    return value.empty() ? raw(name, "null") : text(name, value);
  }
  JsonWriter& number(std::string_view name, std::int64_t value) {
    begin(name);
    append_number(value, out_);
    return *this;
  }
  JsonWriter& time(std::string_view name, std::int64_t millis) {
    begin(name);
    out_ += '"';
    append_iso8601(millis, out_);
    out_ += '"';
    return *this;
  }
  JsonWriter& boolean(std::string_view name, bool value) {
    return raw(name, value ? "true" : "false");
  }
  /// `json` is one JSON value.
  JsonWriter& raw(std::string_view name, std::string_view json) {
    begin(name);
    out_ += json;
    return *this;
  }
  /// Begins an array or object; `append(out)` writes all of it.
  template <typename Append>
  JsonWriter& value(std::string_view name, Append append) {
    begin(name);
    append(out_);
    return *this;
  }
  void end() { out_ += '}'; }

  static void append_number(std::int64_t value, std::string& out) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out.append(digits, end);
  }

 private:
  /// ASCII without anything to escape: ids, names of types. No early end, so that it is vectorised.
  static bool is_plain(std::string_view text) {
    bool special = false;
    for (const char c : text) special |= c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
    return !special;
  }

  // `name` is one of our own field names: nothing in it needs an escape.
  void begin(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    out_ += '"';
    out_ += name;
    out_ += "\":";
  }

  std::string& out_;
};

/// Writes `[...]` with `append(element, out)` for each element.
template <typename Range, typename Append>
void append_array(const Range& range, std::string& out, Append append) {
  out += '[';
  bool first = true;
  for (const auto& element : range) {
    if (!std::exchange(first, false)) out += ',';
    append(element, out);
  }
  out += ']';
}

}  // namespace thalweg::shop
