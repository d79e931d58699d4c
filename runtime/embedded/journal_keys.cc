#include "embedded/journal_keys.h"

#include "embedded/coding.h"

namespace thalweg::internal {

namespace {

constexpr std::size_t kPartitionKeyBytes = 1 + 4 + 4;

std::string partition_prefix(char kind, TopicId topic, std::int32_t partition) {
  std::string key(1, kind);
  put_big_endian(key, topic);
  put_big_endian(key, static_cast<std::uint32_t>(partition));
  return key;
}

std::unexpected<Error> corrupt(const char* what) {
  return failure(ErrorCode::kCorrupt,
                 std::string("the log's record of ") + what + " is unreadable");
}

}  // namespace

std::string batch_key(TopicId topic, std::int32_t partition, Offset base) {
  std::string key = partition_prefix('b', topic, partition);
  put_big_endian(key, static_cast<std::uint64_t>(base));
  return key;
}

Offset base_of_batch_key(BytesView key) {
  return static_cast<Offset>(read_big_endian<std::uint64_t>(key.data() + kPartitionKeyBytes));
}

std::string partition_key(TopicId topic, std::int32_t partition) {
  return partition_prefix('p', topic, partition);
}

std::string topic_key(TopicId topic) {
  std::string key = "t";
  put_big_endian(key, topic);
  return key;
}

TopicId topic_of_key(BytesView key) {
  return key.size() < 1 + sizeof(TopicId) ? 0 : read_big_endian<TopicId>(key.data() + 1);
}

std::string epoch_key(BytesView transactional_id) {
  std::string key = "e";
  key += transactional_id;
  return key;
}

std::string meta_key(BytesView name) {
  std::string key = "m";
  key += name;
  return key;
}

std::string offset_key(BytesView group, TopicId topic, std::int32_t partition) {
  std::string key = "o";
  key += group;
  key += '\0';
  put_big_endian(key, topic);
  put_big_endian(key, static_cast<std::uint32_t>(partition));
  return key;
}

Result<OffsetKey> decode_offset_key(BytesView key) {
  constexpr std::size_t kTail = 1 + 4 + 4;
  if (key.size() < 1 + kTail || key[key.size() - kTail] != '\0') return corrupt("an offset");
  const char* tail = key.data() + key.size() - kTail + 1;
  return OffsetKey{
      .group = std::string(key.substr(1, key.size() - 1 - kTail)),
      .topic = read_big_endian<TopicId>(tail),
      .partition = static_cast<std::int32_t>(read_big_endian<std::uint32_t>(tail + 4))};
}

std::string encode_topic(const TopicSpec& spec) {
  std::string out;
  put_bytes(out, spec.name);
  put_little_endian(out, spec.partitions);
  put_little_endian(out, static_cast<std::uint8_t>(spec.cleanup));
  put_little_endian(out, static_cast<std::int64_t>(spec.retention.count()));
  put_little_endian(out, static_cast<std::int64_t>(spec.min_compaction_lag.count()));
  return out;
}

Result<TopicSpec> decode_topic(BytesView bytes) {
  FieldReader fields(bytes);
  TopicSpec spec;
  spec.name = fields.bytes();
  spec.partitions = fields.number<std::int32_t>();
  const auto cleanup = fields.number<std::uint8_t>();
  spec.cleanup = static_cast<CleanupPolicy>(cleanup);
  spec.retention = std::chrono::milliseconds(fields.number<std::int64_t>());
  spec.min_compaction_lag = std::chrono::milliseconds(fields.number<std::int64_t>());
  if (!fields.complete() || spec.partitions <= 0 ||
      cleanup > static_cast<std::uint8_t>(CleanupPolicy::kCompactAndDelete)) {
    return corrupt("a topic");
  }
  return spec;
}

std::string encode_partition(const PartitionRecord& record) {
  std::string out;
  put_little_endian(out, record.begin);
  put_little_endian(out, record.cleaned_to);
  put_little_endian(out, record.clean_records);
  return out;
}

Result<PartitionRecord> decode_partition(BytesView bytes) {
  FieldReader fields(bytes);
  PartitionRecord record;
  record.begin = fields.number<Offset>();
  record.cleaned_to = fields.number<Offset>();
  record.clean_records = fields.number<std::int64_t>();
  if (!fields.complete()) return corrupt("a partition");
  return record;
}

std::string encode_offset(const OffsetAndMetadata& offset) {
  std::string out;
  put_little_endian(out, offset.offset);
  put_bytes(out, offset.metadata);
  return out;
}

Result<OffsetAndMetadata> decode_offset(BytesView bytes) {
  FieldReader fields(bytes);
  OffsetAndMetadata offset;
  offset.offset = fields.number<Offset>();
  offset.metadata = fields.bytes();
  if (!fields.complete()) return corrupt("an offset");
  return offset;
}

std::string encode_number(std::uint64_t number) {
  std::string out;
  put_little_endian(out, number);
  return out;
}

Result<std::uint64_t> decode_number(BytesView bytes) {
  FieldReader fields(bytes);
  const auto number = fields.number<std::uint64_t>();
  if (!fields.complete()) return corrupt("a number");
  return number;
}

}  // namespace thalweg::internal
