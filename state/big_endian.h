#pragma once

#include <concepts>
#include <cstdint>
#include <string>

#include <thalweg/schemas/bytes.h>

namespace thalweg::internal {

/// Appends an integer in network order, which sorts as the number does when it is not negative.
template <std::integral T>
void append_big_endian(T value, std::string& out) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((static_cast<std::uint64_t>(value) >> shift) & 0xff));
  }
}

/// Writes an integer in network order to the sizeof(T) bytes at `to`.
template <std::integral T>
void write_big_endian(T value, char* to) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    *to++ = static_cast<char>((static_cast<std::uint64_t>(value) >> shift) & 0xff);
  }
}

/// Reads what append_big_endian() wrote; `bytes` must hold at least sizeof(T).
template <std::integral T>
T read_big_endian(BytesView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = (value << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return static_cast<T>(value);
}

}  // namespace thalweg::internal
