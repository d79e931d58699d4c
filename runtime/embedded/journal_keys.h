#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <thalweg/runtime/log.h>

namespace thalweg::internal {

// What the embedded log keeps in its journal, by the first byte of the key. Numbers in keys are
// big-endian, so that the batches of a partition lie one after the other, in order.
//
//   a <application.id>                        what an application is made of, which others note
//                                             (application_record.cc)
//   b <topic id> <partition> <base offset>    a batch (log_batch.h)
//   e <transactional id>                      the epoch of the newest producer that committed
//   m <name>                                  the log itself: format, cluster id, next topic id
//   o <group> <0> <topic id> <partition>      a committed offset
//   p <topic id> <partition>                  where a partition begins, and how far it is compacted
//   t <topic id>                              a topic's settings

using TopicId = std::uint32_t;

/// What is known of a partition beyond its batches.
struct PartitionRecord {
  Offset begin = 0;                ///< Earlier records are deleted, whether or not their batch is.
  Offset cleaned_to = 0;           ///< Compacted up to here.
  std::int64_t clean_records = 0;  ///< Records left below `cleaned_to`.

  friend bool operator==(const PartitionRecord&, const PartitionRecord&) = default;
};

std::string batch_key(TopicId topic, std::int32_t partition, Offset base);
/// The base offset in a batch's key.
Offset base_of_batch_key(BytesView key);
std::string partition_key(TopicId topic, std::int32_t partition);
std::string topic_key(TopicId topic);
TopicId topic_of_key(BytesView key);
std::string epoch_key(BytesView transactional_id);
std::string meta_key(BytesView name);
std::string offset_key(BytesView group, TopicId topic, std::int32_t partition);

struct OffsetKey {
  std::string group;
  TopicId topic = 0;
  std::int32_t partition = 0;
};
Result<OffsetKey> decode_offset_key(BytesView key);

std::string encode_topic(const TopicSpec& spec);
Result<TopicSpec> decode_topic(BytesView bytes);
std::string encode_partition(const PartitionRecord& record);
Result<PartitionRecord> decode_partition(BytesView bytes);
std::string encode_offset(const OffsetAndMetadata& offset);
Result<OffsetAndMetadata> decode_offset(BytesView bytes);
std::string encode_number(std::uint64_t number);
Result<std::uint64_t> decode_number(BytesView bytes);

}  // namespace thalweg::internal
