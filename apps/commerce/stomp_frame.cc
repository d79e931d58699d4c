#include "stomp_frame.h"

#include <optional>

namespace thalweg::shop {
namespace {

void append_escaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    switch (c) {
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case ':': out += "\\c"; break;
      default: out += c;
    }
  }
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return {};
    switch (text[i]) {
      case '\\': out += '\\'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 'c': out += ':'; break;
      default: return {};
    }
  }
  return out;
}

/// Takes a line off the front, without its end.
std::optional<std::string_view> take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return {};
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

std::string_view StompFrame::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::expected<StompFrame, std::string> parse_stomp(std::string_view text) {
  while (text.starts_with('\n') || text.starts_with("\r\n")) {
    text.remove_prefix(text.starts_with('\n') ? 1 : 2);
  }
  if (text.empty()) return StompFrame{};
  const auto command = take_line(text);
  if (!command) return std::unexpected("the command has no end");
  StompFrame frame{.command = std::string(*command)};
  // CONNECT is as it was before headers had escapes.
  const bool escapes = frame.command != "CONNECT" && frame.command != "CONNECTED";
  for (;;) {
    const auto line = take_line(text);
    if (!line) return std::unexpected("the headers have no end");
    if (line->empty()) break;
    const auto colon = line->find(':');
    if (colon == std::string_view::npos) return std::unexpected("a header has no colon");
    auto name = line->substr(0, colon);
    auto value = line->substr(colon + 1);
    if (!escapes) {
      frame.headers.emplace_back(name, value);
      continue;
    }
    auto plain_name = unescaped(name);
    auto plain_value = unescaped(value);
    if (!plain_name || !plain_value) return std::unexpected("a header has an unknown escape");
    frame.headers.emplace_back(*std::move(plain_name), *std::move(plain_value));
  }
  frame.body = text.substr(0, text.find('\0'));
  return frame;
}

std::string to_text(const StompFrame& frame) {
  const bool escapes = frame.command != "CONNECT" && frame.command != "CONNECTED";
  std::string out = frame.command + '\n';
  for (const auto& [name, value] : frame.headers) {
    if (escapes) {
      append_escaped(name, out);
      out += ':';
      append_escaped(value, out);
    } else {
      out.append(name).append(1, ':').append(value);
    }
    out += '\n';
  }
  out += '\n';
  out += frame.body;
  out += '\0';
  return out;
}

}  // namespace thalweg::shop
