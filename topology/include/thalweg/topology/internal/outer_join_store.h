#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/schemas/serde.h>

namespace thalweg::internal {

// What left and outer joins of streams keep of records that have met nobody yet, in Kafka Streams'
// bytes: in order of time, then right side before left, then key.

template <typename K>
struct TimestampedKeyAndJoinSide {
  std::int64_t time = 0;
  bool is_left = false;
  K key{};

  friend bool operator==(const TimestampedKeyAndJoinSide&,
                         const TimestampedKeyAndJoinSide&) = default;
};

/// A value of one of the sides.
template <typename L, typename R>
struct LeftOrRightValue {
  std::optional<L> left;
  std::optional<R> right;
};

/// `i64 time, u8 is left, key`
template <typename K>
class TimestampedKeyAndJoinSideSerde {
 public:
  explicit TimestampedKeyAndJoinSideSerde(AnySerde<K> keys) : keys_(std::move(keys)) {}

  void serialize(const TimestampedKeyAndJoinSide<K>& key, std::string& out) const {
    Serde<std::int64_t>::serialize(key.time, out);
    out += key.is_left ? '\1' : '\0';
    keys_.serialize(key.key, out);
  }
  void deserialize(BytesView bytes, TimestampedKeyAndJoinSide<K>& out) const {
    constexpr std::size_t kTime = sizeof(std::int64_t);
    if (bytes.size() <= kTime) throw SerdeError("a key of a join's buffer ends within its time");
    Serde<std::int64_t>::deserialize(bytes.substr(0, kTime), out.time);
    out.is_left = bytes[kTime] == '\1';
    keys_.deserialize(bytes.substr(kTime + 1), out.key);
  }
  SchemaPtr schema() const { return keys_.schema(); }

 private:
  AnySerde<K> keys_;
};

/// The bytes of a list: `u8 1, i32 count`, and of each entry `i32 size` and its bytes.
struct ListBytes {
  static void begin(std::size_t count, std::string& out);
  /// Puts the size in front of the entry that was appended from `at` on.
  static void insert_size(std::string& out, std::size_t at);
  /// Throws SerdeError.
  static std::vector<BytesView> parse(BytesView bytes);
};

/// All values under one key, in the order in which they came: a list of `u8 is left, value`.
template <typename L, typename R>
class LeftOrRightListSerde {
 public:
  using Values = std::vector<LeftOrRightValue<L, R>>;

  LeftOrRightListSerde(AnySerde<L> lefts, AnySerde<R> rights)
      : lefts_(std::move(lefts)), rights_(std::move(rights)) {}

  void serialize(const Values& values, std::string& out) const {
    ListBytes::begin(values.size(), out);
    for (const auto& value : values) {
      const std::size_t at = out.size();
      out += value.left ? '\1' : '\0';
      if (value.left) {
        lefts_.serialize(*value.left, out);
      } else {
        rights_.serialize(*value.right, out);
      }
      ListBytes::insert_size(out, at);
    }
  }
  void deserialize(BytesView bytes, Values& out) const {
    out.clear();
    for (const BytesView entry : ListBytes::parse(bytes)) {
      if (entry.empty()) throw SerdeError("an entry of a join's buffer has no side");
      auto& value = out.emplace_back();
      if (entry.front() == '\1') {
        lefts_.deserialize(entry.substr(1), value.left.emplace());
      } else {
        rights_.deserialize(entry.substr(1), value.right.emplace());
      }
    }
  }
  SchemaPtr schema() const { return bytes_schema(); }

 private:
  AnySerde<L> lefts_;
  AnySerde<R> rights_;
};

}  // namespace thalweg::internal

template <typename K>
struct std::hash<thalweg::internal::TimestampedKeyAndJoinSide<K>> {
  std::size_t operator()(
      const thalweg::internal::TimestampedKeyAndJoinSide<K>& key) const noexcept {
    const auto time = static_cast<std::size_t>(key.time) * 2 + (key.is_left ? 1 : 0);
    return std::hash<K>{}(key.key) ^ (time * 0x9e3779b97f4a7c15ULL);
  }
};
