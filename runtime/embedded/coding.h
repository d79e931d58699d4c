#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include <thalweg/schemas/bytes.h>

namespace thalweg::internal {

// Numbers as the embedded log stores them: little-endian in values, big-endian in keys (so that
// keys sort as numbers do), varints inside batches.

template <std::unsigned_integral T>
void put_big_endian(std::string& out, T value) {
  for (int shift = (static_cast<int>(sizeof(T)) - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

template <std::unsigned_integral T>
T read_big_endian(const char* at) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>((value << 8) | static_cast<std::uint8_t>(at[i]));
  }
  return value;
}

static_assert(std::endian::native == std::endian::little, "numbers in values are little-endian");

template <std::integral T>
void write_little_endian(char* at, T value) {
  std::memcpy(at, &value, sizeof(value));
}

template <std::integral T>
void put_little_endian(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <std::integral T>
T read_little_endian(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

/// Writes `value` at `at` and returns the end; at most ten bytes.
inline char* write_varint(char* at, std::uint64_t value) {
  while (value >= 0x80) {
    *at++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *at++ = static_cast<char>(value);
  return at;
}

/// Reads a varint from [at, end) and moves `at` past it; false when there is no whole one.
inline bool read_varint(const char*& at, const char* end, std::uint64_t& value) {
  value = 0;
  for (int shift = 0; at != end && shift < 64; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(*at++);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

inline std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

inline std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

/// Reads the fields of a stored value one after the other; after the first that is not whole, ok()
/// is false and every field is zero or empty.
class FieldReader {
 public:
  explicit FieldReader(BytesView bytes) : rest_(bytes) {}

  template <std::integral T>
  T number() {
    if (rest_.size() < sizeof(T)) return fail(), T{};
    const T value = read_little_endian<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  /// Bytes with their length (32 bits) before them.
  BytesView bytes() {
    const auto size = number<std::uint32_t>();
    if (!ok_ || rest_.size() < size) return fail(), BytesView{};
    const BytesView value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }
  bool ok() const { return ok_; }
  /// Everything was there and nothing is left over.
  bool complete() const { return ok_ && rest_.empty(); }

 private:
  void fail() {
    ok_ = false;
    rest_ = {};
  }

  BytesView rest_;
  bool ok_ = true;
};

inline void put_bytes(std::string& out, BytesView bytes) {
  put_little_endian(out, static_cast<std::uint32_t>(bytes.size()));
  out.append(bytes);
}

}  // namespace thalweg::internal
