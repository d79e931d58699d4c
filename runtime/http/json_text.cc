#include <algorithm>
#include <cmath>
#include <cstdint>

#include <boost/json.hpp>

#include <thalweg/runtime/json_text.h>

namespace thalweg {

namespace {

// The length of the UTF-8 sequence at the beginning of `text`; 0 when it is malformed: a stray or
// missing continuation, an overlong form, a surrogate, beyond U+10FFFF.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const auto second = byte(1);
  if (first == 0xe0 && second < 0xa0) return 0;
  if (first == 0xed && second > 0x9f) return 0;
  if (first == 0xf0 && second < 0x90) return 0;
  if (first == 0xf4 && second > 0x8f) return 0;
  return length;
}

void append_escaped(char c, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
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
      break;
  }
  out += "\\u00";
  out += kHex[static_cast<unsigned char>(c) >> 4];
  out += kHex[static_cast<unsigned char>(c) & 15];
}

// The parser reads 1e400 as infinity, for which JSON has no number: written again, it would be text
// that nobody can read. Nests no deeper than the parser let it.
bool is_finite(const boost::json::value& value) {
  if (const auto* number = value.if_double()) return std::isfinite(*number);
  if (const auto* array = value.if_array()) {
    return std::all_of(array->begin(), array->end(), is_finite);
  }
  if (const auto* object = value.if_object()) {
    return std::all_of(object->begin(), object->end(),
                       [](const auto& member) { return is_finite(member.value()); });
  }
  return true;
}

}  // namespace

Result<boost::json::value> parse_json(std::string_view text, std::size_t depth_max) {
  boost::json::parse_options options;
  options.max_depth = depth_max;
  boost::json::stream_parser parser({}, options);
  boost::system::error_code error;
  const auto read = parser.write_some(text.data(), text.size(), error);
  if (!error && read < text.size()) {
    return failure(ErrorCode::kInvalid,
                   "JSON: something follows the value at byte " + std::to_string(read));
  }
  if (!error) parser.finish(error);
  if (error == boost::json::error::too_deep) {
    return failure(ErrorCode::kInvalid, "JSON: nested deeper than " + std::to_string(depth_max));
  }
  if (error == boost::json::error::incomplete) {
    return failure(ErrorCode::kInvalid, "JSON: it ends before the value does");
  }
  if (error) {
    return failure(ErrorCode::kInvalid,
                   "JSON: " + error.message() + " at byte " + std::to_string(read));
  }
  auto value = parser.release();
  if (!is_finite(value)) return failure(ErrorCode::kInvalid, "JSON: a number is too large");
  return value;
}

void append_json_string(std::string_view text, std::string& out) {
  out.reserve(out.size() + text.size() + 2);
  out += '"';
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
      append_escaped(c, out);
      ++i;
      continue;
    }
    const auto length = utf8_length(text.substr(i));
    if (length == 0) {
      out += "\xef\xbf\xbd";
      ++i;
    } else {
      out.append(text.substr(i, length));
      i += length;
    }
  }
  out += '"';
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace thalweg
