#pragma once

#include <optional>

#include <thalweg/schemas/bytes.h>
#include <thalweg/schemas/headers.h>
#include <thalweg/schemas/ids.h>
#include <thalweg/schemas/timestamp.h>

namespace thalweg {

/// A record as a processor sees and forwards it. A null key or value exists only where K or V is a
/// std::optional.
template <typename K, typename V>
struct Record {
  K key;
  V value;
  Timestamp timestamp = kNoTimestamp;
  Headers headers = {};

  friend bool operator==(const Record&, const Record&) = default;
};

/// A record as a log holds it: bytes that live as long as the batch it came in.
struct RecordView {
  Offset offset = kNoOffset;
  Timestamp timestamp = kNoTimestamp;
  std::optional<BytesView> key;
  std::optional<BytesView> value;  ///< Null: a tombstone.
  BytesView headers;               ///< As Headers::encode() writes them; empty when there are none.
};

/// Where a record came from. In a punctuation: an empty topic, partition and offset -1, as in Kafka
/// Streams. What did not go through its repartition topic has offset -1 (`repartition.local.hops`).
struct RecordMetadata {
  std::string_view topic;
  std::int32_t partition = -1;
  Offset offset = kNoOffset;
};

}  // namespace thalweg
