#include "peer/topic_digest.h"

#include <bit>
#include <cstring>

#include <fmt/format.h>

#include "peer/blob.h"
#include "peer/shuffle_rules.h"

namespace thalweg::bench {
namespace {

std::uint64_t hash_of(BytesView bytes) {
  std::uint64_t hash = mix(bytes.size());
  for (; bytes.size() >= sizeof hash; bytes.remove_prefix(sizeof hash)) {
    hash = mix(hash ^ read_number<std::uint64_t>(bytes, 0));
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, bytes.data(), bytes.size());
  return mix(hash ^ rest);
}

}  // namespace

void TopicDigest::add(const Record& record) {
  std::uint64_t one = mix(hash_of(record.key) ^ std::rotl(hash_of(record.value), 17));
  if (with_partition_and_time_) {
    one = mix(one ^ mix(static_cast<std::uint64_t>(record.partition)));
    one = mix(one ^ static_cast<std::uint64_t>(record.timestamp_ms));
  }
  all_ += one;
  ++records_;
  if (record.is_tombstone) {
    lasts_.erase(std::string(record.key));
    return;
  }
  const std::int64_t number = record.value.size() < 8 ? 0 : read_i64(record.value, 0);
  lasts_.insert_or_assign(std::string(record.key), Last{one, number});
}

std::string TopicDigest::json() const {
  std::uint64_t last = 0;
  std::int64_t sum = 0;
  for (const auto& [key, value] : lasts_) {
    last += value.hash;
    sum += value.number;
  }
  return fmt::format(
      "{{\"records\":{},\"keys\":{},\"last_sum\":{},\"all\":\"{:016x}\",\"last\":\"{:016x}\"}}",
      records_, lasts_.size(), sum, all_, last);
}

}  // namespace thalweg::bench
