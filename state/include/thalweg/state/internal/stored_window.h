#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include <thalweg/schemas/serde.h>
#include <thalweg/state/internal/segments.h>
#include <thalweg/state/windowed.h>

namespace thalweg::internal {

/// The key of an entry in a store of windows. Only duplicates have a number.
template <typename K>
struct StoredWindow {
  Windowed<K> windowed{};
  std::int32_t sequence = 0;

  friend bool operator==(const StoredWindow&, const StoredWindow&) = default;
};

/// Makes the stored keys that Segments describes.
template <typename K>
class StoredWindowSerde {
 public:
  StoredWindowSerde(AnySerde<K> key_serde, Segments segments, std::int64_t window_size)
      : key_serde_(std::move(key_serde)), segments_(segments), window_size_(window_size) {}

  void serialize(const StoredWindow<K>& stored, std::string& out) const {
    const auto start = to_millis(stored.windowed.window.start);
    const auto end = to_millis(stored.windowed.window.end);
    const bool is_window = segments_.keys == Segments::Keys::kWindow;
    Segments::append_prefix(segments_.prefix_of(is_window ? start : end), out);
    key_serde_.serialize(stored.windowed.key, out);
    if (is_window) {
      append_big_endian<std::uint64_t>(start, out);
      append_big_endian<std::uint32_t>(stored.sequence, out);
    } else {
      append_big_endian<std::uint64_t>(end, out);
      append_big_endian<std::uint64_t>(start, out);
    }
  }

  void deserialize(BytesView bytes, StoredWindow<K>& out) const {
    const std::size_t around = Segments::kPrefixSize + segments_.suffix_size();
    if (bytes.size() < around) throw_wrong_size("windowed key", around, bytes.size());
    const BytesView key = bytes.substr(Segments::kPrefixSize);
    key_serde_.deserialize(segments_.key_of(key), out.windowed.key);
    if (segments_.keys == Segments::Keys::kWindow) {
      const Timestamp start = from_millis(segments_.time_of(key));
      out.windowed.window = {start, after(start, std::chrono::milliseconds(window_size_))};
      out.sequence = segments_.sequence_of(key);
    } else {
      out.windowed.window = {from_millis(segments_.start_of(key)),
                             from_millis(segments_.time_of(key))};
    }
  }

  SchemaPtr schema() const { return key_serde_.schema(); }

 private:
  AnySerde<K> key_serde_;
  Segments segments_;
  std::int64_t window_size_;
};

}  // namespace thalweg::internal

template <typename K>
struct std::hash<thalweg::internal::StoredWindow<K>> {
  std::size_t operator()(const thalweg::internal::StoredWindow<K>& stored) const noexcept {
    return std::hash<thalweg::Windowed<K>>{}(stored.windowed) +
           static_cast<std::size_t>(stored.sequence) * 0x9e3779b97f4a7c15ULL;
  }
};
