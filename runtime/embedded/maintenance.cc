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
    std::set<TopicId> kept;
    TopicId end = 0;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [name, topic] : topics_) {
        topics.push_back(topic);
        kept.insert(topic->id);
      }
      end = next_topic_;
    }
    // What is wrong with one partition does not keep the others from being cleaned.
    for (const auto& topic : topics) {
      for (const auto& partition : topic->partitions) {
        Status status = clean(*partition, topic->spec);
        if (!status && result) result = std::move(status);
      }
    }
    for (const char kind : {'b', 'p'}) {
      if (auto status = sweep(kind, kept, end); !status && result) result = std::move(status);
    }
    if (auto status = journal_.reclaim(); !status && result) result = std::move(status);
  }
  const std::lock_guard lock(stop_mutex_);
  maintenance_status_ = result;
  return result;
}

bool EmbeddedLogImpl::is_stopping() const {
  const std::lock_guard lock(stop_mutex_);
  return stopping_;
}

/// Removes what deleted topics, numbered below `end`, have left under keys of that kind. Step by
/// step: whoever commits waits for one of them only.
Status EmbeddedLogImpl::sweep(char kind, const std::set<TopicId>& kept, TopicId end) {
  const auto first_of = [kind](TopicId topic) {
    return kind == 'b' ? batch_key(topic, 0, 0) : partition_key(topic, 0);
  };
  auto cursor = journal_.scan(first_of(0), first_of(end));
  cursor->seek(first_of(0));
  while (cursor->valid() && !is_stopping()) {
    const TopicId topic = topic_of_key(cursor->key());
    if (kept.contains(topic)) {
      cursor->seek(first_of(topic + 1));
      continue;
    }
    if (auto status = durability_.status(); !status) return status;
    const std::string first(cursor->key());
    for (int i = 0; i < kBatchesAtOnce && cursor->valid(); ++i) {
      if (topic_of_key(cursor->key()) != topic) break;
      cursor->next();
    }
    WriteBatch changes;
    changes.remove_range(first, cursor->valid() ? std::string(cursor->key()) : first_of(end));
    if (auto status = journal_.append(changes); !status) return status;
  }
  return cursor->status();
}

Status EmbeddedLogImpl::clean(PartitionLog& partition, const TopicSpec& spec) {
  if (is_stopping()) return {};
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
