#include <thalweg/schemas/ids.h>

namespace thalweg {

std::string to_string(const TopicPartition& partition) {
  return partition.topic + '-' + std::to_string(partition.partition);
}

std::string to_string(const TaskId& task) {
  return std::to_string(task.subtopology) + '_' + std::to_string(task.partition);
}

}  // namespace thalweg
