#pragma once

#include <chrono>
#include <string>
#include <utility>

#include <thalweg/schemas/serde.h>
#include <thalweg/state/windowed.h>

namespace thalweg {

/// A windowed key on a topic, as Kafka Streams writes it: the key, then the start in 8 bytes. The
/// end is not written: reading needs the size of the windows. All windows of a key go to the
/// partition of the key, unless a partitioner says otherwise.
template <typename K>
class TimeWindowedSerde {
 public:
  explicit TimeWindowedSerde(AnySerde<K> key_serde, std::chrono::milliseconds window_size =
                                                        std::chrono::milliseconds::max())
      : key_serde_(std::move(key_serde)), window_size_(window_size) {}

  void serialize(const Windowed<K>& key, std::string& out) const {
    key_serde_.serialize(key.key, out);
    Serde<std::int64_t>::serialize(to_millis(key.window.start), out);
  }
  void deserialize(BytesView bytes, Windowed<K>& out) const {
    constexpr std::size_t kSize = sizeof(std::int64_t);
    if (bytes.size() < kSize) internal::throw_wrong_size("windowed key", kSize, bytes.size());
    std::int64_t start = 0;
    Serde<std::int64_t>::deserialize(bytes.substr(bytes.size() - kSize), start);
    key_serde_.deserialize(bytes.substr(0, bytes.size() - kSize), out.key);
    out.window = {from_millis(start), after(from_millis(start), window_size_)};
  }
  SchemaPtr schema() const { return windowed_key_schema(sizeof(std::int64_t)); }

 private:
  AnySerde<K> key_serde_;
  std::chrono::milliseconds window_size_;
};

/// The same with windows that know where each of them ends.
template <typename K, typename Windows>
class AlignedWindowedSerde {
 public:
  AlignedWindowedSerde(AnySerde<K> key_serde, Windows windows)
      : by_start_(std::move(key_serde)), windows_(std::move(windows)) {}

  void serialize(const Windowed<K>& key, std::string& out) const { by_start_.serialize(key, out); }
  void deserialize(BytesView bytes, Windowed<K>& out) const {
    by_start_.deserialize(bytes, out);
    out.window.end = windows_.end_of(out.window.start);
  }
  SchemaPtr schema() const { return by_start_.schema(); }

 private:
  TimeWindowedSerde<K> by_start_;
  Windows windows_;
};

/// A session's key on a topic, as Kafka Streams writes it: the key, then end and start in 8 bytes
/// each.
template <typename K>
class SessionWindowedSerde {
 public:
  explicit SessionWindowedSerde(AnySerde<K> key_serde) : key_serde_(std::move(key_serde)) {}

  void serialize(const Windowed<K>& key, std::string& out) const {
    key_serde_.serialize(key.key, out);
    Serde<std::int64_t>::serialize(to_millis(key.window.end), out);
    Serde<std::int64_t>::serialize(to_millis(key.window.start), out);
  }
  void deserialize(BytesView bytes, Windowed<K>& out) const {
    constexpr std::size_t kTime = sizeof(std::int64_t);
    if (bytes.size() < 2 * kTime) {
      internal::throw_wrong_size("session key", 2 * kTime, bytes.size());
    }
    const std::size_t key_size = bytes.size() - 2 * kTime;
    std::int64_t start = 0;
    std::int64_t end = 0;
    Serde<std::int64_t>::deserialize(bytes.substr(key_size, kTime), end);
    Serde<std::int64_t>::deserialize(bytes.substr(key_size + kTime), start);
    key_serde_.deserialize(bytes.substr(0, key_size), out.key);
    out.window = {from_millis(start), from_millis(end)};
  }
  SchemaPtr schema() const { return windowed_key_schema(2 * sizeof(std::int64_t)); }

 private:
  AnySerde<K> key_serde_;
};

}  // namespace thalweg
