#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/schemas/serde.h>
#include <thalweg/state/internal/version_segment.h>

namespace thalweg::internal {

/// Reads and writes the bytes of a segment, value by value. Integers are in network order.
///
///     i64 next, then for each version, oldest first: u8 1, i64 time, u32 size, value; or, of a
///     deletion: u8 0, i64 time
class VersionBytes {
 public:
  explicit VersionBytes(BytesView bytes) : rest_(bytes) {}
  bool at_end() const { return rest_.empty(); }
  /// All throw SerdeError when the bytes end too soon, or begin with what cannot be.
  std::int64_t time();
  bool has_value();
  BytesView value();

  static void append_time(std::int64_t time, std::string& out);
  static void append_kind(bool has_value, std::string& out);
  /// Puts the size in front of the value that was appended from `at` on.
  static void insert_size(std::string& out, std::size_t at);

 private:
  BytesView take(std::size_t size);

  BytesView rest_;
};

template <typename V>
class VersionSegmentSerde {
 public:
  using Segment = VersionSegment<V>;

  explicit VersionSegmentSerde(AnySerde<V> values) : values_(std::move(values)) {}

  void serialize(const Segment& segment, std::string& out) const {
    VersionBytes::append_time(segment.next, out);
    for (const Version<V>& version : segment.versions) {
      VersionBytes::append_kind(version.value.has_value(), out);
      VersionBytes::append_time(version.time, out);
      if (!version.value) continue;
      const std::size_t at = out.size();
      values_.serialize(*version.value, out);
      VersionBytes::insert_size(out, at);
    }
  }
  void deserialize(BytesView bytes, Segment& out) const {
    VersionBytes in(bytes);
    out.next = in.time();
    out.versions.clear();
    while (!in.at_end()) {
      auto& version = out.versions.emplace_back();
      const bool has_value = in.has_value();
      version.time = in.time();
      if (has_value) values_.deserialize(in.value(), version.value.emplace());
    }
    if (out.versions.empty()) throw SerdeError("a segment of a history has no versions");
  }
  SchemaPtr schema() const { return values_.schema(); }

 private:
  AnySerde<V> values_;
};

}  // namespace thalweg::internal
