#pragma once

#include <string>

#include <thalweg/state/change_buffer.h>
#include <thalweg/topology/task_context.h>

namespace thalweg::internal {

/// While it lives, the task's record is one that has waited in a buffer. The topic's name must
/// outlive it.
class AsOrigin {
 public:
  AsOrigin(TaskContext& task, const ChangeBuffer::Origin& origin, const std::string& topic)
      : task_(task),
        metadata_(task.exchange_metadata({topic, origin.partition, origin.offset})),
        time_(task.exchange_record_time(origin.timestamp)) {}
  ~AsOrigin() {
    task_.exchange_record_time(time_);
    task_.exchange_metadata(metadata_);
  }
  AsOrigin(const AsOrigin&) = delete;
  AsOrigin& operator=(const AsOrigin&) = delete;

 private:
  TaskContext& task_;
  RecordMetadata metadata_;
  Timestamp time_;
};

}  // namespace thalweg::internal
