#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include <thalweg/schemas/timestamp.h>
#include <thalweg/topology/errors.h>
#include <thalweg/topology/task_context.h>

namespace thalweg {

// The extractors that Kafka Streams brings along, under its names.

/// The record's own timestamp. One that is negative stops the task: the default.
struct FailOnInvalidTimestamp {};
/// The record's own timestamp. A record with a negative one is dropped and counted.
struct LogAndSkipOnInvalidTimestamp {};
/// The record's own timestamp; where it is negative, the highest one of its partition so far. The
/// task stops if there is none.
struct UsePartitionTimeOnInvalidTimestamp {};
/// The time at which the record is read.
struct WallclockTimestampExtractor {};

/// How to tell the time of a record of K and V: one of the extractors above, or a function
///
///     Timestamp (const K& key, const V& value, Timestamp record_time, Timestamp partition_time)
///
/// of which a negative result drops the record, and what it throws stops the task. `partition_time`
/// is the highest timestamp of the partition so far, negative if there is none.
template <typename K, typename V>
class TimestampExtractor {
 public:
  using Function = std::function<Timestamp(const K& key, const V& value, Timestamp record_time,
                                           Timestamp partition_time)>;

  TimestampExtractor() = default;
  TimestampExtractor(FailOnInvalidTimestamp) {}  // NOLINT: an extractor is one.
  TimestampExtractor(LogAndSkipOnInvalidTimestamp) : kind_(Kind::kSkip) {}             // NOLINT
  TimestampExtractor(UsePartitionTimeOnInvalidTimestamp) : kind_(Kind::kPartition) {}  // NOLINT
  TimestampExtractor(WallclockTimestampExtractor) : kind_(Kind::kWallClock) {}         // NOLINT
  template <typename F>
    requires std::is_invocable_r_v<Timestamp, F&, const K&, const V&, Timestamp, Timestamp>
  TimestampExtractor(F function)  // NOLINT
      : kind_(Kind::kFunction), function_(std::move(function)) {}

  /// The record's time; negative: drop it. Throws StreamsError.
  Timestamp extract(const K& key, const V& value, Timestamp record_time, Timestamp partition_time,
                    const TaskContext& task) const {
    if (kind_ == Kind::kFunction) return call(key, value, record_time, partition_time);
    if (kind_ == Kind::kWallClock) return task.wall_clock_time();
    if (to_millis(record_time) >= 0 || kind_ == Kind::kSkip) return record_time;
    if (kind_ == Kind::kFail) {
      throw StreamsError("Input record has invalid (negative) timestamp " +
                         std::to_string(to_millis(record_time)) +
                         ". Use another timestamp extractor to process it");
    }
    if (to_millis(partition_time) < 0) {
      throw StreamsError("Could not infer new timestamp for input record: its timestamp is "
                         "negative and partition time is unknown");
    }
    return partition_time;
  }

 private:
  enum class Kind : std::uint8_t { kFail, kSkip, kPartition, kWallClock, kFunction };

  Timestamp call(const K& key, const V& value, Timestamp record_time,
                 Timestamp partition_time) const {
    try {
      return function_(key, value, record_time, partition_time);
    } catch (const std::exception& error) {
      std::throw_with_nested(
          StreamsError(std::string("Fatal user code error in timestamp extractor: ") +
                       error.what()));
    }
  }

  Kind kind_ = Kind::kFail;
  Function function_;
};

}  // namespace thalweg
