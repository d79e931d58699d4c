#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/schemas/serde.h>

namespace thalweg::internal {

/// A table's change that holds its values: what passes through the repartition topic of a grouped
/// table. At least one of the two is there.
template <typename V>
struct RepartitionedChange {
  std::optional<V> new_value;
  std::optional<V> old_value;
};

/// How the bytes of a change are laid out: Kafka Streams' format since 3.5, by its last byte.
///
///     old, 0 | new, 1 | length of new as a zigzag varint, new, old, 2
struct ChangeBytes {
  std::optional<BytesView> new_value;
  std::optional<BytesView> old_value;

  /// Throws SerdeError; also reads formats 3 to 5, which have one more byte before the last.
  static ChangeBytes parse(BytesView bytes);
  /// Puts the length of the new value in front of it and old value behind `at`.
  static void insert_length(std::string& out, std::size_t at, std::size_t length);
};

/// Reads and writes changes with the serde of their values.
template <typename V>
class ChangeSerde {
 public:
  explicit ChangeSerde(AnySerde<V> values) : values_(std::move(values)) {}

  void serialize(const RepartitionedChange<V>& change, std::string& out) const {
    const std::size_t at = out.size();
    if (change.new_value) values_.serialize(*change.new_value, out);
    const std::size_t length = out.size() - at;
    if (change.old_value) values_.serialize(*change.old_value, out);
    if (!change.old_value) {
      out += '\1';
    } else if (!change.new_value) {
      out += '\0';
    } else {
      ChangeBytes::insert_length(out, at, length);
      out += '\2';
    }
  }
  void deserialize(BytesView bytes, RepartitionedChange<V>& out) const {
    const ChangeBytes parts = ChangeBytes::parse(bytes);
    read(parts.new_value, out.new_value);
    read(parts.old_value, out.old_value);
  }
  SchemaPtr schema() const { return bytes_schema(); }

 private:
  void read(std::optional<BytesView> bytes, std::optional<V>& out) const {
    if (!bytes) return out.reset();
    if (!out) out.emplace();
    values_.deserialize(*bytes, *out);
  }

  AnySerde<V> values_;
};

}  // namespace thalweg::internal
