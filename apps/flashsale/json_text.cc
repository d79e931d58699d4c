#include "json_text.h"

#include <charconv>

namespace thalweg::flashsale {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

void skip_space(std::string_view& text) {
  const auto at = text.find_first_not_of(kSpace);
  text.remove_prefix(at == text.npos ? text.size() : at);
}

// Takes one string, quotes included, off the front of `text`; empty if there is none.
std::string_view take_string(std::string_view& text) {
  if (!text.starts_with('"')) return {};
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      const auto taken = text.substr(0, at + 1);
      text.remove_prefix(at + 1);
      return taken;
    }
  }
  return {};
}

// Takes one object or array: up to the bracket that closes the first one.
std::string_view take_nested(std::string_view& text) {
  std::size_t depth = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const char c = rest.front();
    if (c == '"') {
      if (take_string(rest).empty()) return {};
      continue;
    }
    rest.remove_prefix(1);
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) {
      const auto taken = text.substr(0, text.size() - rest.size());
      text = rest;
      return taken;
    }
  }
  return {};
}

std::string_view take_value(std::string_view& text) {
  if (text.empty()) return {};
  if (text.front() == '"') return take_string(text);
  if (text.front() == '{' || text.front() == '[') return take_nested(text);
  const auto end = std::min(text.find_first_of(",]} \t\r\n"), text.size());
  const auto taken = text.substr(0, end);
  text.remove_prefix(end);
  return taken;
}

// Calls visit(key, value) for the members of an object or, with an empty key, the elements of an
// array, until it returns false or the text stops making sense.
template <typename Visit>
void walk(std::string_view text, char open, Visit visit) {
  skip_space(text);
  if (!text.starts_with(open)) return;
  text.remove_prefix(1);
  for (;;) {
    skip_space(text);
    std::string_view key;
    if (open == '{') {
      key = take_string(text);
      if (key.empty()) return;
      skip_space(text);
      if (!text.starts_with(':')) return;
      text.remove_prefix(1);
      skip_space(text);
    }
    const auto value = take_value(text);
    if (value.empty()) return;
    if (!visit(open == '{' ? key.substr(1, key.size() - 2) : key, value)) return;
    skip_space(text);
    if (!text.starts_with(',')) return;
    text.remove_prefix(1);
  }
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3f));
  } else {
    out += static_cast<char>(0xe0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (code & 0x3f));
  }
}

}  // namespace

std::optional<std::string_view> json_member(std::string_view object, std::string_view key) {
  std::optional<std::string_view> found;
  walk(object, '{', [&](std::string_view name, std::string_view value) {
    if (name == key) found = value;
    return !found;
  });
  return found;
}

std::vector<std::string_view> json_elements(std::string_view array) {
  std::vector<std::string_view> elements;
  walk(array, '[', [&](std::string_view, std::string_view value) {
    elements.push_back(value);
    return true;
  });
  return elements;
}

std::vector<std::pair<std::string_view, std::string_view>> json_members(std::string_view object) {
  std::vector<std::pair<std::string_view, std::string_view>> members;
  walk(object, '{', [&](std::string_view key, std::string_view value) {
    members.emplace_back(key, value);
    return true;
  });
  return members;
}

std::optional<std::int64_t> json_integer(std::string_view value) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) return std::nullopt;
  return number;
}

std::optional<std::string> json_string(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::nullopt;
  value = value.substr(1, value.size() - 2);
  std::string text;
  text.reserve(value.size());
  for (std::size_t at = 0; at < value.size(); ++at) {
    if (value[at] != '\\') {
      text += value[at];
      continue;
    }
    if (++at == value.size()) return std::nullopt;
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    if (const auto name = kNames.find(value[at]); name != kNames.npos) {
      text += kMeant[name];
      continue;
    }
    unsigned code = 0;
    if (value[at] != 'u' || value.size() - at < 5) return std::nullopt;
    const char* digits = value.data() + at + 1;
    if (std::from_chars(digits, digits + 4, code, 16).ptr != digits + 4) return std::nullopt;
    append_utf8(text, code);
    at += 4;
  }
  return text;
}

std::optional<std::int64_t> json_integer_member(std::string_view object, std::string_view key) {
  const auto value = json_member(object, key);
  return value ? json_integer(*value) : std::nullopt;
}

std::optional<std::string> json_string_member(std::string_view object, std::string_view key) {
  const auto value = json_member(object, key);
  return value ? json_string(*value) : std::nullopt;
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace thalweg::flashsale
