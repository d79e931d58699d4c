#include "query/query_text.h"

#include <algorithm>
#include <charconv>

#include <boost/json.hpp>

#include <thalweg/runtime/json_text.h>
#include <thalweg/schemas/json.h>
#include <thalweg/schemas/serde.h>

#include "http/http_request.h"

namespace thalweg::internal {

namespace {

constexpr std::string_view kPlain =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

std::unexpected<Error> bad_key(std::string_view text, const Schema& schema, std::string_view why) {
  return failure(ErrorCode::kInvalid, "the key '" + std::string(text) + "' is no " +
                                          std::string(schema.name()) + ": " + std::string(why));
}

Result<std::string> from_json(std::string_view text, std::string_view json, const Schema& schema) {
  std::string bytes;
  try {
    schema.from_json(json, bytes);
    return bytes;
  } catch (const SerdeError& error) {
    return bad_key(text, schema, error.what());
  }
}

bool is_integer(const Schema& schema) {
  return schema.name() == "i64" || schema.name() == "i32" || schema.name() == "i16";
}

// The end of the JSON value that begins at `at`, in text known to be JSON.
std::size_t skip_value(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\') {
        ++at;
      } else if (c == '"') {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      --depth;
    } else if (depth == 0 && (c == ',' || c == ':')) {
      return at;
    }
  }
  return at;
}

// What stands between the brackets, cut at the commas and colons of its own level.
std::vector<std::string_view> parts(std::string_view inner) {
  std::vector<std::string_view> found;
  if (trimmed_json(inner).empty()) return found;
  for (std::size_t at = 0; at <= inner.size();) {
    const auto end = skip_value(inner, at);
    found.push_back(trimmed_json(inner.substr(at, end - at)));
    at = end + 1;
  }
  return found;
}

}  // namespace

// --- Keys
// -----------------------------------------------------------------------------------------

Result<std::string> parse_key(std::string_view text, const Schema& schema) {
  const auto rest = text.substr(std::min<std::size_t>(text.size(), 4));
  if (text.starts_with("b64:")) {
    if (auto bytes = decode_base64(rest)) return *std::move(bytes);
    return bad_key(text, schema, "what follows b64: is not base64");
  }
  if (text.starts_with("json:")) return from_json(text, text.substr(5), schema);
  if (text.starts_with("i64:")) {
    if (is_integer(schema)) return from_json(text, rest, schema);
    return bad_key(text, schema, "the store's keys are not whole numbers");
  }
  if (schema.name() == "string") return std::string(text.starts_with("str:") ? rest : text);
  if (const auto window = schema.window_bytes(); window > 0) {
    return bad_key(text, schema,
                   "write it as b64:..., of the key's own bytes and the " + std::to_string(window) +
                       " of its window");
  }
  if (schema.name() == "bytes") return bad_key(text, schema, "write it as b64:...");
  const auto bare = text.starts_with("str:") ? rest : text;
  // As a number or an object first, else as a string (uuid).
  std::string bytes;
  try {
    schema.from_json(bare, bytes);
    return bytes;
  } catch (const SerdeError&) {
    std::string quoted;
    append_json_string(bare, quoted);
    auto as_string = from_json(text, quoted, schema);
    return as_string ? std::move(as_string) : from_json(text, bare, schema);
  }
}

Result<std::string> parse_key_prefix(std::string_view text, const Schema& schema) {
  if (text.starts_with("b64:") || schema.name() == "string") return parse_key(text, schema);
  return failure(ErrorCode::kInvalid, "a prefix makes no sense for keys of type " +
                                          std::string(schema.name()) +
                                          "; give the first bytes as b64:...");
}

std::optional<std::string> after_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

// --- Base64
// ---------------------------------------------------------------------------------------

std::optional<std::string> decode_base64(std::string_view text) {
  const auto padding = text.size() - std::min(text.size(), text.find_last_not_of('=') + 1);
  if (padding > 2 || (padding > 0 && text.size() % 4 != 0)) return std::nullopt;
  text.remove_suffix(padding);
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xff);
  }
  const bool clean = (bits & ((1u << count) - 1)) == 0;
  return clean ? std::optional(std::move(bytes)) : std::nullopt;
}

void append_base64(std::string_view bytes, bool url, std::string& out) {
  const auto alphabet = url ? kUrl : kPlain;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) {
      return i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u;
    };
    const std::uint32_t bits = byte(0) << 16 | byte(1) << 8 | byte(2);
    const std::size_t digits = std::min<std::size_t>(bytes.size() - i, 3) + 1;
    for (std::size_t k = 0; k < digits; ++k) out += alphabet[bits >> (18 - 6 * k) & 63];
    if (!url) out.append(4 - digits, '=');
  }
}

// --- JSON
// -----------------------------------------------------------------------------------------

Status check_json_text(std::string_view text) {
  try {
    JsonText read;
    Serde<JsonText>::deserialize(text, read);
    return {};
  } catch (const SerdeError& error) {
    return failure(ErrorCode::kInvalid, error.what());
  }
}

std::string_view trimmed_json(std::string_view json) {
  while (!json.empty() && is_space(json.front())) json.remove_prefix(1);
  while (!json.empty() && is_space(json.back())) json.remove_suffix(1);
  return json;
}

std::optional<std::vector<std::pair<std::string, std::string_view>>> json_members(
    std::string_view object) {
  object = trimmed_json(object);
  if (!object.starts_with('{')) return std::nullopt;
  std::vector<std::pair<std::string, std::string_view>> members;
  const auto found = parts(object.substr(1, object.size() - 2));
  for (std::size_t i = 0; i + 1 < found.size(); i += 2) {
    members.emplace_back(json_string(found[i]).value_or(""), found[i + 1]);
  }
  return members;
}

std::optional<std::vector<std::string_view>> json_elements(std::string_view array) {
  array = trimmed_json(array);
  if (!array.starts_with('[')) return std::nullopt;
  return parts(array.substr(1, array.size() - 2));
}

std::optional<std::string> json_string(std::string_view json) {
  json = trimmed_json(json);
  if (!json.starts_with('"')) return std::nullopt;
  if (json.find('\\') == std::string_view::npos)
    return std::string(json.substr(1, json.size() - 2));
  boost::system::error_code error;
  const auto value = boost::json::parse(json, error);
  if (error || !value.is_string()) return std::nullopt;
  return std::string(value.get_string());
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool names_media_type(std::string_view accept, std::string_view type) {
  // What stands before the next `mark` is taken off.
  const auto take = [](std::string_view& text, char mark) {
    const auto part = text.substr(0, text.find(mark));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    return trimmed_json(part);
  };
  while (!accept.empty()) {
    auto range = take(accept, ',');
    if (!equal_ignoring_case(take(range, ';'), type)) continue;
    bool refused = false;
    while (!range.empty()) {
      auto value = take(range, ';');
      if (!equal_ignoring_case(take(value, '='), "q")) continue;
      refused = !value.empty() && trimmed_json(value).find_first_not_of("0.") == value.npos;
    }
    if (!refused) return true;
  }
  return false;
}

bool append_by_schema(const Schema& schema, std::string_view bytes, std::string& out) {
  const auto before = out.size();
  if (schema.name() != "string" || is_utf8(bytes)) {
    try {
      schema.to_json(bytes, out);
      return true;
    } catch (const SerdeError&) {
      out.resize(before);
    }
  }
  out += '"';
  append_base64(bytes, false, out);
  out += '"';
  return false;
}

}  // namespace thalweg::internal
