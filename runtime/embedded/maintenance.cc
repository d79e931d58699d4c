#include <utility>

#include "embedded/embedded_log_impl.h"
#include "embedded/partition_cleaner.h"

// The work that keeps the embedded log from growing for ever.

namespace thalweg::internal {

void EmbeddedLogImpl::run_maintenance() {
  std::unique_lock lock(stop_mutex_);
  while (!maintenance_due_.wait_for(lock, options_.maintenance_interval,
                                    [this] { return stopping_; })) {
    lock.unlock();
    static_cast<void>(maintain());  // status() tells.
    lock.lock();
  }
}

Status EmbeddedLogImpl::maintain() {
  Status result;
  {
    const std::lock_guard one_pass(maintenance_);
    std::vector<EmbeddedTopicPtr> topics;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [name, topic] : topics_) topics.push_back(topic);
    }
    // What is wrong with one partition does not keep the others from being cleaned.
    for (const auto& topic : topics) {
      for (const auto& partition : topic->partitions) {
        Status status = clean(*partition, topic->spec);
        if (!status && result) result = std::move(status);
      }
    }
    if (auto status = journal_.reclaim(); !status && result) result = std::move(status);
  }
  const std::lock_guard lock(stop_mutex_);
  maintenance_status_ = result;
  return result;
}

Status EmbeddedLogImpl::clean(PartitionLog& partition, const TopicSpec& spec) {
  {
    const std::lock_guard lock(stop_mutex_);
    if (stopping_) return {};
  }
  if (auto status = durability_.status(); !status) return status;
  PartitionCleaner cleaner(partition, spec, journal_, options_, clock_.wall_clock());
  for (const auto task :
       {&PartitionCleaner::expire, &PartitionCleaner::truncate, &PartitionCleaner::compact}) {
    if (auto status = (cleaner.*task)(); !status) return status;
  }
  const std::lock_guard lock(mutex_);
  tail_bytes_ -= partition.drop_tail_before(partition.begin());
  return {};
}

}  // namespace thalweg::internal
