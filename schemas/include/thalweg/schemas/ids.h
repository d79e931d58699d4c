#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace thalweg {

/// A record's place in its partition. The offset of a position is that of the next record to read.
using Offset = std::int64_t;

/// "No offset": nothing committed, nothing stored, nothing delivered.
inline constexpr Offset kNoOffset = -1;

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;

  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

/// One instance of a sub-topology: `<sub-topology>_<partition>`, as Kafka Streams writes it.
struct TaskId {
  std::int32_t subtopology = 0;
  std::int32_t partition = 0;

  friend auto operator<=>(const TaskId&, const TaskId&) = default;
};

std::string to_string(const TopicPartition& partition);  ///< `orders-3`
std::string to_string(const TaskId& task);               ///< `0_3`

}  // namespace thalweg

template <>
struct std::hash<thalweg::TopicPartition> {
  std::size_t operator()(const thalweg::TopicPartition& p) const noexcept {
    return std::hash<std::string>{}(p.topic) * 31 + static_cast<std::size_t>(p.partition);
  }
};

template <>
struct std::hash<thalweg::TaskId> {
  std::size_t operator()(const thalweg::TaskId& task) const noexcept {
    return static_cast<std::size_t>(task.subtopology) * 1'000'003 +
           static_cast<std::size_t>(task.partition);
  }
};
