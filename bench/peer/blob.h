#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

#include <thalweg/schemas/bytes.h>

namespace thalweg::bench {

// The records of the workloads are bytes with big-endian numbers at fixed places.

template <typename T>
T read_number(BytesView bytes, std::size_t at) {
  if (bytes.size() < at + sizeof(T)) throw std::out_of_range("a record is too short");
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return std::byteswap(value);
}
inline std::int64_t read_i64(BytesView bytes, std::size_t at) {
  return read_number<std::int64_t>(bytes, at);
}
inline std::int32_t read_i32(BytesView bytes, std::size_t at) {
  return read_number<std::int32_t>(bytes, at);
}

inline void write_i64(std::string& bytes, std::size_t at, std::int64_t value) {
  const std::int64_t stored = std::byteswap(value);
  std::memcpy(bytes.data() + at, &stored, sizeof stored);
}

inline void write_i32(std::string& bytes, std::size_t at, std::int32_t value) {
  const std::int32_t stored = std::byteswap(value);
  std::memcpy(bytes.data() + at, &stored, sizeof stored);
}

/// Two numbers: what the joins put out.
inline std::string pair_of(std::int64_t first, std::int64_t second) {
  std::string bytes(16, '\0');
  write_i64(bytes, 0, first);
  write_i64(bytes, 8, second);
  return bytes;
}

}  // namespace thalweg::bench
