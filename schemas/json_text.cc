#include "json_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include <thalweg/schemas/error.h>

namespace thalweg::internal {
namespace {

bool is_continuation(std::string_view text, std::size_t at, unsigned low = 0x80,
                     unsigned high = 0xbf) {
  if (at >= text.size()) return false;
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte >= low && byte <= high;
}

/// The length of the UTF-8 character of more than one byte at `at`, 0 if there is none. The bounds
/// of the second byte keep out overlong forms, surrogates and everything above U+10FFFF.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead >= 0xc2 && lead <= 0xdf) return is_continuation(text, at + 1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;
    return is_continuation(text, at + 1, low, high) && is_continuation(text, at + 2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
    const bool whole = is_continuation(text, at + 1, low, high) && is_continuation(text, at + 2) &&
                       is_continuation(text, at + 3);
    return whole ? 4 : 0;
  }
  return 0;
}

void append_escaped(char c, std::string& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 0xf];
  }
}

template <typename Float>
void append_number(Float value, std::string& out) {
  if (std::isnan(value)) {
    out += "\"NaN\"";
  } else if (std::isinf(value)) {
    out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    out.append(buffer, end);
  }
}

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint32_t kNotBase64 = 64;

constexpr auto kFromBase64 = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNotBase64);
  for (std::size_t i = 0; i < kBase64.size(); ++i) {
    values[static_cast<unsigned char>(kBase64[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  std::size_t plain = 0;  // Everything from here to the current byte goes out as it is.
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\') {
      ++at;
      continue;
    }
    if (const std::size_t length = byte >= 0x80 ? utf8_length(text, at) : 0; length > 0) {
      at += length;
      continue;
    }
    out.append(text, plain, at - plain);
    if (byte >= 0x80) {
      out += "\xef\xbf\xbd";
    } else {
      append_escaped(text[at], out);
    }
    plain = ++at;
  }
  out.append(text, plain, text.size() - plain);
  out += '"';
}

void append_json_number(double value, std::string& out) { append_number(value, out); }
void append_json_number(float value, std::string& out) { append_number(value, out); }

std::string_view trimmed(std::string_view json) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = json.find_first_not_of(kSpace);
  if (begin == json.npos) return {};
  return json.substr(begin, json.find_last_not_of(kSpace) - begin + 1);
}

std::string quoted_excerpt(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string quoted;
  append_json_string(text.substr(0, kShown), quoted);
  if (text.size() > kShown) quoted += "... (" + std::to_string(text.size()) + " bytes)";
  return quoted;
}

void append_base64(BytesView bytes, std::string& out) {
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      out += i <= count ? kBase64[bits >> (18 - 6 * i) & 0x3f] : '=';
    }
  }
}

void append_from_base64(std::string_view text, std::string& out) {
  const auto fail = [](const std::string& what) {
    throw SerdeError("bytes needs base64: " + what);
  };
  if (text.size() % 4 != 0) {
    fail("a length of " + std::to_string(text.size()) + " is no multiple of 4");
  }
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const std::size_t digits = text.size() - padding;
  std::uint32_t bits = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::uint32_t value = at < digits ? kFromBase64[static_cast<unsigned char>(text[at])] : 0;
    if (value == kNotBase64) {
      fail(quoted_excerpt(text.substr(at, 1)) + " at character " + std::to_string(at));
    }
    bits = bits << 6 | value;
    if (at % 4 != 3) continue;
    const bool last = at + 1 == text.size();
    if (last && (bits & ((1U << (8 * padding)) - 1)) != 0) fail("the last digit has unused bits");
    const char three[] = {static_cast<char>(bits >> 16), static_cast<char>(bits >> 8),
                          static_cast<char>(bits)};
    out.append(three, last ? 3 - padding : 3);
    bits = 0;
  }
}

}  // namespace thalweg::internal
