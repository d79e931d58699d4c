#pragma once

#include <cstdint>
#include <string>

namespace thalweg::bench {

/// What is in a topic, so that two topics can be compared whatever the order of their records.
struct TopicDigest {
  std::int64_t records = 0;
  std::int64_t keys = 0;      ///< That are there at the end: a tombstone deletes one.
  std::int64_t last_sum = 0;  ///< Of the number that the last value of each key begins with.
  std::uint64_t all = 0;      ///< Of all records.
  std::uint64_t last = 0;     ///< Of the last record of each key.
};

/// Reads the whole topic.
TopicDigest digest_of(const std::string& bootstrap, const std::string& topic);

}  // namespace thalweg::bench
