#include "peer/topic_digest.h"

#include <bit>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <unordered_map>

#include "peer/blob.h"
#include "peer/kafka_topics.h"
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

struct Last {
  std::uint64_t digest;
  std::int64_t number;
};

}  // namespace

TopicDigest digest_of(const std::string& bootstrap, const std::string& topic) {
  constexpr auto kPatience = std::chrono::minutes(2);
  TopicReader reader(bootstrap, topic, TopicReader::From::kBeginning);
  TopicDigest digest;
  std::unordered_map<std::string, Last> lasts;
  const auto limit = std::chrono::steady_clock::now() + kPatience;
  while (!reader.at_end()) {
    if (std::chrono::steady_clock::now() > limit) {
      throw std::runtime_error(topic + " could not be read to its end");
    }
    reader.read(500, [&](const TopicReader::Record& record) {
      const std::uint64_t one = mix(hash_of(record.key) ^ std::rotl(hash_of(record.value), 17));
      const std::int64_t number = record.value.size() < 8 ? 0 : read_i64(record.value, 0);
      digest.all += one;
      ++digest.records;
      if (record.is_tombstone) {
        lasts.erase(std::string(record.key));
        return;
      }
      lasts.insert_or_assign(std::string(record.key), Last{one, number});
    });
  }
  digest.keys = static_cast<std::int64_t>(lasts.size());
  for (const auto& [key, last] : lasts) {
    digest.last += last.digest;
    digest.last_sum += last.number;
  }
  return digest;
}

}  // namespace thalweg::bench
