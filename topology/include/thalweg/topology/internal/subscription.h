#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/schemas/serde.h>

namespace thalweg::internal {

// What the two sides of a foreign key join tell each other, in Kafka Streams' bytes. The left side
// subscribes each of its rows to the foreign key in it; the right side answers with the row under
// that key, now and whenever it changes. The hash of the left row's value travels along, so that an
// answer to a value that has been replaced since is recognised.

/// Murmur3 of a value's bytes: x64, 128 bits, the seed that Kafka Streams uses.
struct ValueHash {
  std::uint64_t first = 0;
  std::uint64_t second = 0;

  static ValueHash of(BytesView bytes);
  friend bool operator==(const ValueHash&, const ValueHash&) = default;
};

/// What the right side is to do with a subscription.
enum class SubscriptionInstruction : std::uint8_t {
  kDeleteKeyNoPropagate = 0,
  kDeleteKeyAndPropagate = 1,
  kPropagateNullIfNoFkValAvailable = 2,
  kPropagateOnlyIfFkValAvailable = 3,
};

/// Subscribes the row `primary_key` of the left table, or ends its subscription.
template <typename K>
struct SubscriptionWrapper {
  std::optional<ValueHash> hash;  ///< None: the row is gone.
  SubscriptionInstruction instruction = SubscriptionInstruction::kDeleteKeyNoPropagate;
  K primary_key{};
  /// Where the answer goes; none in version 0, which Kafka Streams wrote before 3.4.
  std::optional<std::int32_t> primary_partition;
};

/// The right side's answer: the row's value, or none.
template <typename V>
struct SubscriptionResponseWrapper {
  std::optional<ValueHash> hash;
  std::optional<V> foreign_value;
  std::optional<std::int32_t> primary_partition;  ///< Not written: it chooses the partition.
};

/// The parts of a subscription's bytes: version, instruction, hash, primary key, partition.
struct SubscriptionBytes {
  std::optional<ValueHash> hash;
  SubscriptionInstruction instruction;
  BytesView primary_key;
  std::optional<std::int32_t> primary_partition;

  /// Appends what stands before the primary key.
  static void write_head(const std::optional<ValueHash>& hash, SubscriptionInstruction instruction,
                         bool has_partition, std::string& out);
  /// Throws SerdeError.
  static SubscriptionBytes parse(BytesView bytes);
};

/// The parts of a response's bytes: version, hash, value.
struct ResponseBytes {
  std::optional<ValueHash> hash;
  BytesView value;  ///< Empty: none.

  static void write_head(const std::optional<ValueHash>& hash, std::string& out);
  /// Throws SerdeError.
  static ResponseBytes parse(BytesView bytes);
};

template <typename K>
class SubscriptionWrapperSerde {
 public:
  explicit SubscriptionWrapperSerde(AnySerde<K> keys) : keys_(std::move(keys)) {}

  void serialize(const SubscriptionWrapper<K>& wrapper, std::string& out) const {
    SubscriptionBytes::write_head(wrapper.hash, wrapper.instruction,
                                  wrapper.primary_partition.has_value(), out);
    keys_.serialize(wrapper.primary_key, out);
    if (wrapper.primary_partition) {
      Serde<std::int32_t>::serialize(*wrapper.primary_partition, out);
    }
  }
  void deserialize(BytesView bytes, SubscriptionWrapper<K>& out) const {
    const SubscriptionBytes parts = SubscriptionBytes::parse(bytes);
    out.hash = parts.hash;
    out.instruction = parts.instruction;
    keys_.deserialize(parts.primary_key, out.primary_key);
    out.primary_partition = parts.primary_partition;
  }
  SchemaPtr schema() const { return bytes_schema(); }

 private:
  AnySerde<K> keys_;
};

template <typename V>
class SubscriptionResponseWrapperSerde {
 public:
  explicit SubscriptionResponseWrapperSerde(AnySerde<V> values) : values_(std::move(values)) {}

  void serialize(const SubscriptionResponseWrapper<V>& wrapper, std::string& out) const {
    ResponseBytes::write_head(wrapper.hash, out);
    if (wrapper.foreign_value) values_.serialize(*wrapper.foreign_value, out);
  }
  void deserialize(BytesView bytes, SubscriptionResponseWrapper<V>& out) const {
    const ResponseBytes parts = ResponseBytes::parse(bytes);
    out.hash = parts.hash;
    out.foreign_value.reset();
    if (!parts.value.empty()) values_.deserialize(parts.value, out.foreign_value.emplace());
    out.primary_partition.reset();
  }
  SchemaPtr schema() const { return bytes_schema(); }

 private:
  AnySerde<V> values_;
};

/// Keys of the subscription store: length of the foreign key (4 bytes), foreign key, primary key.
template <typename KO, typename K>
class CombinedKeySchema {
 public:
  CombinedKeySchema(AnySerde<KO> foreign_keys, AnySerde<K> primary_keys)
      : foreign_keys_(std::move(foreign_keys)), primary_keys_(std::move(primary_keys)) {}

  /// What all keys of one foreign key begin with.
  void write_prefix(const KO& foreign_key, std::string& out) const {
    out.assign(sizeof(std::int32_t), '\0');
    foreign_keys_.serialize(foreign_key, out);
    std::string length;
    Serde<std::int32_t>::serialize(static_cast<std::int32_t>(out.size() - sizeof(std::int32_t)),
                                   length);
    out.replace(0, length.size(), length);
  }
  void write(const KO& foreign_key, const K& primary_key, std::string& out) const {
    write_prefix(foreign_key, out);
    primary_keys_.serialize(primary_key, out);
  }

 private:
  AnySerde<KO> foreign_keys_;
  AnySerde<K> primary_keys_;
};

}  // namespace thalweg::internal
