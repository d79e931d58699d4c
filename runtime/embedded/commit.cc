#include <utility>

#include "embedded/embedded_log_impl.h"

// The commit of the embedded log: the only place where offsets are given and records become
// visible.

namespace thalweg::internal {

Status EmbeddedLogImpl::append_locked(const WriteBatch& batch) {
  if (durability_.failed()) {
    return failure(ErrorCode::kUnavailable,
                   "the log accepts nothing until a sync succeeds; the last: " +
                       durability_.status().error().message);
  }
  return journal_.append(batch);
}

std::uint32_t EmbeddedLogImpl::next_epoch(const std::string& transactional_id) {
  const std::lock_guard lock(mutex_);
  return ++epochs_[transactional_id];
}

bool EmbeddedLogImpl::is_current(std::string_view transactional_id, std::uint32_t epoch) const {
  const std::lock_guard lock(mutex_);
  const auto found = epochs_.find(transactional_id);
  return found != epochs_.end() && found->second == epoch;
}

Status EmbeddedLogImpl::check_offsets_locked(
    const std::map<TopicPartition, OffsetAndMetadata>& offsets, const GroupMetadata& group) const {
  if (!groups_.accepts(group)) {
    return failure(ErrorCode::kUnavailable,
                   "member " + group.member + " of generation " + std::to_string(group.generation) +
                       " has no part in group " + group.group + " any more");
  }
  for (const auto& [name, offset] : offsets) {
    if (auto found = partition_locked(name); !found) return std::unexpected(found.error());
  }
  return {};
}

Status EmbeddedLogImpl::check_offsets(const std::map<TopicPartition, OffsetAndMetadata>& offsets,
                                      const GroupMetadata& group) const {
  const std::lock_guard lock(mutex_);
  return check_offsets_locked(offsets, group);
}

std::expected<void, CommitFailure> EmbeddedLogImpl::check_locked(
    const CommitRequest& request) const {
  const std::string_view id = request.transactional_id;
  if (!id.empty()) {
    const auto found = epochs_.find(id);
    if (found == epochs_.end() || found->second != request.epoch) {
      return std::unexpected(CommitFailure{
          ProducerEvent::Kind::kFenced,
          {ErrorCode::kInvalid, "a newer producer has the transactional id " + std::string(id)}});
    }
  }
  for (const PartitionWrite* write : request.writes) {
    if (!write->partition->deleted()) continue;
    return std::unexpected(
        CommitFailure{.error = {ErrorCode::kNotFound,
                                "topic " + write->partition->name().topic + " was deleted"}});
  }
  if (request.offsets != nullptr) {
    if (auto status = check_offsets_locked(*request.offsets, *request.group); !status) {
      return std::unexpected(CommitFailure{.error = status.error()});
    }
  }
  return {};
}

void EmbeddedLogImpl::stage_locked(const CommitRequest& request) {
  staged_.clear();
  for (PartitionWrite* write : request.writes) {
    Offset next = write->partition->end();
    for (std::size_t i = 0; i < write->batches.size(); ++i) {
      LogBatch& batch = *write->batches[i];
      batch.base = next;
      next = batch.end();
      patch_base_offset(write->stored[i], batch.base);
      staged_.adopt(write->partition->key_of(batch.base), std::move(write->stored[i]));
    }
  }
  if (request.offsets != nullptr) {
    for (const auto& [name, offset] : *request.offsets) {
      staged_.put(
          offset_key(request.group->group, topics_.find(name.topic)->second->id, name.partition),
          encode_offset(offset));
    }
  }
  if (!request.transactional_id.empty()) {
    staged_.put(epoch_key(request.transactional_id), encode_number(request.epoch));
  }
}

void EmbeddedLogImpl::publish_locked(const CommitRequest& request, CommitSequence commit,
                                     Wakeups& wakeups) {
  if (request.offsets != nullptr) {
    auto& committed = offsets_[request.group->group];
    for (const auto& [name, offset] : *request.offsets) committed[name] = offset;
  }
  for (const PartitionWrite* write : request.writes) {
    for (const auto& batch : write->batches) {
      batch->commit = commit;
      tail_bytes_ += memory_of(*batch);
      tail_.push_back({write->partition, batch->base});
    }
    write->partition->publish(write->batches, wakeups);
  }
  evict_locked();
  durability_.publish(commit);
}

void EmbeddedLogImpl::evict_locked() {
  while (tail_bytes_ > options_.tail_bytes && !tail_.empty()) {
    tail_bytes_ -= tail_.front().partition->evict(tail_.front().base);
    tail_.pop_front();
  }
}

std::expected<CommitSequence, CommitFailure> EmbeddedLogImpl::commit(const CommitRequest& request) {
  Wakeups wakeups;
  CommitSequence commit = 0;
  {
    const std::lock_guard lock(mutex_);
    if (auto checked = check_locked(request); !checked) return std::unexpected(checked.error());
    if (request.writes.empty() && request.offsets == nullptr) return durability_.visible();
    stage_locked(request);
    if (auto status = append_locked(staged_); !status) {
      return std::unexpected(CommitFailure{.error = status.error()});
    }
    commit = durability_.visible() + 1;
    publish_locked(request, commit, wakeups);
  }
  wake(wakeups);
  return commit;
}

}  // namespace thalweg::internal
