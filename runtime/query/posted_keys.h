#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/log.h>

#include "query/record_json.h"

namespace thalweg::internal {

/// Knows which records were posted under an `Idempotency-Key`, so that a request that is repeated
/// writes nothing twice.
///
/// The key travels with each record as a header, `idempotency-key: <key>#<its number in the
/// request>`: it is in the log exactly if the record is, and a process that comes later finds it
/// there. Remembered are those of the last day, in the last million records of a partition, and a
/// million of a topic at most.
///
/// begin() and end() may be called from any thread, the others from one.
class PostedKeys {
 public:
  struct Place {
    std::int32_t partition = 0;
    Offset offset = kNoOffset;
    std::size_t content = 0;  ///< content_of() the record.
    Timestamp time = kNoTimestamp;
  };

  PostedKeys(Log& log, Clock& clock) : log_(log), clock_(clock) {}

  /// False: a request with that key is under way. Else end() must follow.
  bool begin(const std::string& topic, const std::string& key);
  void end(const std::string& topic, const std::string& key);

  /// Reads what the topic has got since the last time. Blocks; `stop` is asked in between.
  Status catch_up(const std::string& topic, std::int32_t partitions,
                  const std::function<bool()>& stop);
  /// Where record `number` of the request is; null: it was not written.
  const Place* find(const std::string& topic, const std::string& key, std::size_t number) const;

  static void mark(PostedRecord& record, const std::string& key, std::size_t number);
  static std::size_t content_of(const std::optional<std::string>& key,
                                const std::optional<std::string>& value);

 private:
  struct Topic {
    std::map<std::int32_t, Offset> next;  ///< Where to read on, by partition.
    std::map<std::string, Place, std::less<>> places;
    std::deque<decltype(places)::const_iterator> by_age;  ///< The oldest first.
  };

  Status read_on(const std::string& name, Topic& topic, std::int32_t partition,
                 const std::function<bool()>& stop);
  void note(Topic& topic, const TopicRecord& record) const;
  void forget_old(Topic& topic) const;

  Log& log_;
  Clock& clock_;
  std::map<std::string, Topic, std::less<>> topics_;
  std::mutex mutex_;
  std::set<std::pair<std::string, std::string>> under_way_;
};

}  // namespace thalweg::internal
