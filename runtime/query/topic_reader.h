#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/log.h>

namespace thalweg::internal {

/// A record that owns its bytes.
struct TopicRecord {
  std::int32_t partition = 0;
  Offset offset = kNoOffset;
  Timestamp timestamp = kNoTimestamp;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::string headers;
};

struct TopicRead {
  TopicSpec topic;
  std::optional<std::int32_t> partition;  ///< Absent: all, one after the other.
  std::optional<Offset> offset;           ///< Negative: from the end. Absent: from the beginning.
  std::optional<Timestamp> timestamp;     ///< Only records of that time or later.
  std::size_t limit = 100;                ///< Of all partitions together.
  std::size_t bytes = 8u << 20;           ///< About as much, if that comes before the limit.
  std::chrono::milliseconds time{5'000};  ///< Then what was found is the answer.
};

struct TopicPage {
  std::vector<TopicRecord> records;
  std::map<std::int32_t, Offset> next;  ///< Where to read on.
  std::map<std::int32_t, Offset> end;
  CommitSequence commit = 0;  ///< Must be durable before the page leaves the process.
};

/// Reads records that are in the log now. Blocks; `stop` is asked in between.
Result<TopicPage> read_topic(Log& log, Clock& clock, const TopicRead& read,
                             const std::function<bool()>& stop);

}  // namespace thalweg::internal
