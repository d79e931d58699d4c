#include <thalweg/schemas/json.h>
#include <thalweg/schemas/serde.h>

#include "json_text.h"

namespace thalweg {
namespace {

constexpr std::size_t kUuidSize = 36;

constexpr bool is_uuid_dash(std::size_t position) {
  return position == 8 || position == 13 || position == 18 || position == 23;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

[[noreturn]] void throw_not_a_uuid(std::string_view text) {
  throw SerdeError("uuid needs 8-4-4-4-12 hexadecimal digits, got " +
                   internal::quoted_excerpt(text));
}

void append_uuid(const Uuid& uuid, std::string& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  char text[kUuidSize];
  std::size_t at = 0;
  for (const std::uint8_t byte : uuid.bytes) {
    if (is_uuid_dash(at)) text[at++] = '-';
    text[at++] = kDigits[byte >> 4];
    text[at++] = kDigits[byte & 0xf];
  }
  out.append(text, kUuidSize);
}

}  // namespace

namespace internal {

void throw_wrong_size(std::string_view type, std::size_t needed, std::size_t got) {
  throw SerdeError(std::string(type) + " needs " + std::to_string(needed) +
                   (needed == 1 ? " byte, got " : " bytes, got ") + std::to_string(got));
}

void throw_bad_bool(char byte) {
  throw SerdeError("bool needs a byte 0 or 1, got " +
                   std::to_string(static_cast<unsigned char>(byte)));
}

}  // namespace internal

std::string to_string(const Uuid& uuid) {
  std::string text;
  append_uuid(uuid, text);
  return text;
}

Uuid uuid_from_string(std::string_view text) {
  if (text.size() != kUuidSize) throw_not_a_uuid(text);
  Uuid uuid;
  std::size_t at = 0;
  for (std::uint8_t& byte : uuid.bytes) {
    if (is_uuid_dash(at) && text[at++] != '-') throw_not_a_uuid(text);
    const int high = hex_digit(text[at]);
    const int low = hex_digit(text[at + 1]);
    if (high < 0 || low < 0) throw_not_a_uuid(text);
    byte = static_cast<std::uint8_t>(high << 4 | low);
    at += 2;
  }
  return uuid;
}

void Serde<Uuid>::serialize(const Uuid& value, std::string& out) { append_uuid(value, out); }

void Serde<Uuid>::deserialize(BytesView bytes, Uuid& out) { out = uuid_from_string(bytes); }

void Serde<JsonText>::deserialize(BytesView bytes, JsonText& out) {
  internal::check_json(bytes);
  out.text.assign(bytes);
}

}  // namespace thalweg
