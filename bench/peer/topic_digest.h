#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include <thalweg/schemas/bytes.h>

namespace thalweg::bench {

/// What is in a topic, so that two topics can be compared whatever the order of their records and
/// the log that they are in.
class TopicDigest {
 public:
  struct Record {
    std::int32_t partition;
    std::int64_t timestamp_ms;
    BytesView key;
    BytesView value;
    bool is_tombstone;
  };

  /// Hashes of keys and values; and, asked for, of each record's partition and timestamp, where
  /// both sides promise the same.
  explicit TopicDigest(bool with_partition_and_time = false)
      : with_partition_and_time_(with_partition_and_time) {}

  void add(const Record& record);
  /// One JSON object: how many records there are and keys at the end (a tombstone deletes one), the
  /// sum of the numbers that the last values begin with, and hashes of all records and of the last
  /// of each key.
  std::string json() const;

 private:
  struct Last {
    std::uint64_t hash;
    std::int64_t number;
  };

  bool with_partition_and_time_;
  std::int64_t records_ = 0;
  std::uint64_t all_ = 0;
  std::unordered_map<std::string, Last> lasts_;
};

}  // namespace thalweg::bench
