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
  void add(BytesView key, BytesView value, bool is_tombstone);
  /// One JSON object: how many records there are and keys at the end (a tombstone deletes one), the
  /// sum of the numbers that the last values begin with, and hashes of all records and of the last
  /// of each key.
  std::string json() const;

 private:
  struct Last {
    std::uint64_t hash;
    std::int64_t number;
  };

  std::int64_t records_ = 0;
  std::uint64_t all_ = 0;
  std::unordered_map<std::string, Last> lasts_;
};

}  // namespace thalweg::bench
