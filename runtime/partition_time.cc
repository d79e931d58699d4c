#include "partition_time.h"

#include <array>
#include <cstdint>
#include <optional>

#include <thalweg/schemas/serde.h>

namespace thalweg::internal {

namespace {

// Version 2 adds processor metadata behind the time: a count, then each key with its size and its
// value. None has no bytes.
constexpr char kVersion = 2;
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<std::uint8_t>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += k <= count ? kAlphabet[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes;
  std::uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    if (c == '=') break;
    const auto digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    group = group << 6 | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>(group >> bits & 0xff);
    }
  }
  return bytes;
}

}  // namespace

std::string encode_partition_time(Timestamp partition_time, const ProcessorMetadata& processors) {
  std::string bytes(1, kVersion);
  append_big_endian<std::uint64_t>(to_millis(partition_time), bytes);
  if (!processors.empty()) {
    append_big_endian<std::uint32_t>(static_cast<std::uint32_t>(processors.size()), bytes);
    for (const auto& [key, value] : processors) {
      append_big_endian<std::uint32_t>(static_cast<std::uint32_t>(key.size()), bytes);
      bytes += key;
      append_big_endian<std::uint64_t>(value, bytes);
    }
  }
  return to_base64(bytes);
}

Timestamp decode_partition_time(std::string_view metadata) {
  const auto bytes = from_base64(metadata);
  if (!bytes || bytes->size() < 9 || (*bytes)[0] < 1 || (*bytes)[0] > kVersion) return kNoTimestamp;
  std::int64_t millis = 0;
  read_big_endian<std::uint64_t>(BytesView(*bytes).substr(1, 8), millis, "partition time");
  return from_millis(millis);
}

ProcessorMetadata decode_processor_metadata(std::string_view metadata) {
  const auto bytes = from_base64(metadata);
  if (!bytes || bytes->size() < 9 || (*bytes)[0] != kVersion) return {};
  ProcessorMetadata processors;
  BytesView rest = BytesView(*bytes).substr(9);
  const auto take = [&rest]<typename Unsigned>(auto& value) {
    if (rest.size() < sizeof(Unsigned)) return false;
    read_big_endian<Unsigned>(rest.substr(0, sizeof(Unsigned)), value, "processor metadata");
    rest.remove_prefix(sizeof(Unsigned));
    return true;
  };
  std::uint32_t entries = 0;
  if (!take.operator()<std::uint32_t>(entries)) return {};
  for (; entries > 0; --entries) {
    std::uint32_t size = 0;
    std::int64_t value = 0;
    if (!take.operator()<std::uint32_t>(size) || size > rest.size()) break;
    const std::string key(rest.substr(0, size));
    rest.remove_prefix(size);
    if (!take.operator()<std::uint64_t>(value)) break;
    processors[key] = value;
  }
  return processors;
}

}  // namespace thalweg::internal
