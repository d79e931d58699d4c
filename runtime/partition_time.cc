#include "partition_time.h"

#include <array>
#include <cstdint>
#include <optional>

namespace thalweg::internal {

namespace {

// Version 2 adds processor metadata behind the time; empty metadata has no bytes.
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

std::string encode_partition_time(Timestamp partition_time) {
  std::string bytes(1, kVersion);
  const auto millis = static_cast<std::uint64_t>(to_millis(partition_time));
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(millis >> shift & 0xff);
  return to_base64(bytes);
}

Timestamp decode_partition_time(std::string_view metadata) {
  const auto bytes = from_base64(metadata);
  if (!bytes || bytes->size() < 9 || (*bytes)[0] < 1 || (*bytes)[0] > kVersion) return kNoTimestamp;
  std::uint64_t millis = 0;
  for (std::size_t i = 1; i < 9; ++i) millis = millis << 8 | static_cast<std::uint8_t>((*bytes)[i]);
  return from_millis(static_cast<std::int64_t>(millis));
}

}  // namespace thalweg::internal
