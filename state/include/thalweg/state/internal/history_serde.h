#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/schemas/serde.h>
#include <thalweg/state/internal/version_history.h>

namespace thalweg::internal {

/// Reads and writes the bytes of a history, value by value. Integers are in network order.
///
///     u8 1, i64 time, u32 size, value   the latest version; or u8 0: none
///     then for each segment, oldest first:
///     i64 id, i64 next, u32 versions, and each of them as the latest one above, newest first
class HistoryBytes {
 public:
  explicit HistoryBytes(BytesView bytes) : rest_(bytes) {}
  bool at_end() const { return rest_.empty(); }
  /// All throw SerdeError when the bytes end too soon.
  std::uint8_t byte();
  std::int64_t time();
  std::uint32_t number();
  BytesView value();

  static void append(std::uint8_t byte, std::string& out) { out += static_cast<char>(byte); }
  static void append(std::int64_t time, std::string& out);
  static void append(std::uint32_t number, std::string& out);

 private:
  BytesView take(std::size_t size);

  BytesView rest_;
};

template <typename V>
class HistorySerde {
 public:
  using History = VersionHistory<V>;

  explicit HistorySerde(AnySerde<V> values) : values_(std::move(values)) {}

  void serialize(const History& history, std::string& out) const {
    if (history.latest) {
      write(*history.latest, out);
    } else {
      HistoryBytes::append(std::uint8_t{0}, out);
    }
    for (const auto& segment : history.segments) {
      HistoryBytes::append(segment.id, out);
      HistoryBytes::append(segment.next, out);
      HistoryBytes::append(static_cast<std::uint32_t>(segment.versions.size()), out);
      for (const auto& version : segment.versions) write(version, out);
    }
  }
  void deserialize(BytesView bytes, History& out) const {
    HistoryBytes in(bytes);
    out.latest = read(in, true);
    out.segments.clear();
    while (!in.at_end()) {
      auto& segment = out.segments.emplace_back();
      segment.id = in.time();
      segment.next = in.time();
      for (std::uint32_t count = in.number(); count > 0; --count) {
        segment.versions.push_back(*read(in, false));
      }
      if (segment.versions.empty()) throw SerdeError("a history has a segment without versions");
    }
  }
  SchemaPtr schema() const { return values_.schema(); }

 private:
  using Version = typename History::Version;
  static constexpr std::uint8_t kNothing = 0;
  static constexpr std::uint8_t kValue = 1;
  static constexpr std::uint8_t kDeletion = 2;

  void write(const Version& version, std::string& out) const {
    HistoryBytes::append(version.value ? kValue : kDeletion, out);
    HistoryBytes::append(version.time, out);
    if (!version.value) return;
    std::string size;
    HistoryBytes::append(std::uint32_t{0}, out);
    const std::size_t at = out.size();
    values_.serialize(*version.value, out);
    HistoryBytes::append(static_cast<std::uint32_t>(out.size() - at), size);
    out.replace(at - size.size(), size.size(), size);
  }
  std::optional<Version> read(HistoryBytes& in, bool may_be_nothing) const {
    const std::uint8_t kind = in.byte();
    if (kind == kNothing && may_be_nothing) return std::nullopt;
    if (kind != kValue && kind != kDeletion) {
      throw SerdeError("a history has a version of kind " + std::to_string(kind));
    }
    Version version{.time = in.time(), .value = {}};
    if (kind == kValue) values_.deserialize(in.value(), version.value.emplace());
    return version;
  }

  AnySerde<V> values_;
};

}  // namespace thalweg::internal
