#include "embedded/embedded_producer.h"

#include <algorithm>
#include <utility>

namespace thalweg::internal {

namespace {

constexpr std::size_t kBatchBytes = std::size_t{256} << 10;
constexpr std::uint32_t kBatchRecords = 4'096;
constexpr std::size_t kRecordBytesMax = std::size_t{256} << 20;

}  // namespace

void EmbeddedProducer::report(ProducerEvent::Kind kind, Error error, CommitSequence commit) {
  events_.push_back({.kind = kind, .commit = commit, .error = std::move(error)});
  wakeup_.call();
}

bool EmbeddedProducer::poll(ProducerEvent& event) {
  if (events_.empty()) return false;
  event = std::move(events_.front());
  events_.pop_front();
  return true;
}

void EmbeddedProducer::init() {
  clear();
  open_ = false;
  fenced_ = false;
  delivered_.clear();
  for (Topic& topic : topics_) {
    if (topic.topic && topic.topic->partitions.front()->deleted()) {
      topic.topic = nullptr;  // It may have been made anew.
      topic.outputs.clear();
    }
  }
  if (transactional()) epoch_ = log_.next_epoch(options_.transactional_id);
  report(ProducerEvent::Kind::kReady);
}

void EmbeddedProducer::begin() { open_ = true; }

TopicHandle EmbeddedProducer::topic(std::string_view name) {
  const auto known = std::ranges::find(topics_, name, &Topic::name);
  if (known != topics_.end()) return static_cast<TopicHandle>(known - topics_.begin());
  topics_.emplace_back().name = name;
  return static_cast<TopicHandle>(topics_.size() - 1);
}

Status EmbeddedProducer::resolve(Topic& topic) {
  auto found = log_.find_or_create(topic.name);
  if (!found) return std::unexpected(found.error());
  topic.topic = *std::move(found);
  topic.outputs.resize(topic.topic->partitions.size());
  for (std::size_t p = 0; p < topic.outputs.size(); ++p) {
    topic.outputs[p].write.partition = topic.topic->partitions[p];
  }
  return {};
}

Result<std::int32_t> EmbeddedProducer::partitions(TopicHandle handle) {
  Topic& topic = topics_.at(handle);
  if (!topic.topic) {
    if (auto resolved = resolve(topic); !resolved) return std::unexpected(resolved.error());
  }
  return topic.topic->spec.partitions;
}

Status EmbeddedProducer::send(TopicHandle handle, std::int32_t partition,
                              std::optional<BytesView> key, std::optional<BytesView> value,
                              Timestamp timestamp, BytesView headers) {
  Topic& topic = topics_.at(handle);
  if (!topic.topic) {
    if (auto status = resolve(topic); !status) return status;
  }
  if (partition < 0 || static_cast<std::size_t>(partition) >= topic.outputs.size()) {
    return failure(ErrorCode::kInvalid,
                   "topic " + topic.name + " has no partition " + std::to_string(partition));
  }
  if (transactional() && !open_) {
    return failure(ErrorCode::kInvalid,
                   "a record for topic " + topic.name + " outside of any transaction");
  }
  if ((key ? key->size() : 0) + (value ? value->size() : 0) + headers.size() > kRecordBytesMax) {
    return failure(ErrorCode::kInvalid, "a record for topic " + topic.name + " is over " +
                                            std::to_string(kRecordBytesMax) + " bytes");
  }
  if (!key && topic.topic->spec.cleanup != CleanupPolicy::kDelete) {
    return failure(ErrorCode::kInvalid, "a record without a key for compacted topic " + topic.name);
  }
  Output& output = topic.outputs[static_cast<std::size_t>(partition)];
  if (!output.touched) {
    output.touched = true;
    touched_.push_back(&output);
  }
  output.builder.add(key, value, timestamp, headers);
  if (output.builder.bytes() >= kBatchBytes || output.builder.count() >= kBatchRecords)
    seal(output);
  return {};
}

void EmbeddedProducer::seal(Output& output) {
  if (output.builder.empty()) return;
  auto batch = output.builder.take();
  if (batch->max_timestamp < 0) batch->max_timestamp = to_millis(log_.wall_clock());
  encode_batch(*batch, log_.options().compress, output.write.stored.emplace_back());
  output.write.batches.push_back(std::move(batch));
}

void EmbeddedProducer::clear() {
  for (Output* output : touched_) {
    output->builder.clear();
    output->write.batches.clear();
    output->write.stored.clear();
    output->touched = false;
  }
  touched_.clear();
  offsets_.clear();
  has_offsets_ = false;
  broken_.reset();
}

bool EmbeddedProducer::refused() {
  if (fenced_ || (transactional() && !log_.is_current(options_.transactional_id, epoch_))) {
    fenced_ = true;
    report(ProducerEvent::Kind::kFenced,
           {ErrorCode::kInvalid,
            "a newer producer has the transactional id " + options_.transactional_id});
    return true;
  }
  if (broken_) report(ProducerEvent::Kind::kAbortRequired, *broken_);
  return broken_.has_value();
}

void EmbeddedProducer::flush() {
  if (!refused()) report(ProducerEvent::Kind::kFlushed);
}

void EmbeddedProducer::send_offsets(const std::map<TopicPartition, OffsetAndMetadata>& offsets,
                                    const GroupMetadata& group) {
  if (refused()) return;
  if (auto status = log_.check_offsets(offsets, group); !status) {
    broken_ = status.error();
    report(ProducerEvent::Kind::kAbortRequired, *broken_);
    return;
  }
  for (const auto& [partition, offset] : offsets) offsets_[partition] = offset;
  group_ = group;
  has_offsets_ = true;
  report(ProducerEvent::Kind::kOffsetsSent);
}

void EmbeddedProducer::commit() {
  if (refused()) return;
  CommitRequest request{.transactional_id = options_.transactional_id, .epoch = epoch_};
  for (Output* output : touched_) {
    seal(*output);
    request.writes.push_back(&output->write);
  }
  if (has_offsets_) {
    request.offsets = &offsets_;
    request.group = &group_;
  }
  auto committed = log_.commit(request);
  if (!committed) {
    fenced_ = committed.error().kind == ProducerEvent::Kind::kFenced;
    broken_ = committed.error().error;
    report(committed.error().kind, *broken_);
    return;
  }
  for (Output* output : delivered_) output->delivered_end = kNoOffset;
  delivered_ = touched_;
  for (Output* output : delivered_) output->delivered_end = output->write.batches.back()->end();
  clear();
  open_ = false;
  report(ProducerEvent::Kind::kCommitted, {}, *committed);
}

void EmbeddedProducer::abort() {
  clear();
  open_ = false;
  if (!refused()) report(ProducerEvent::Kind::kAborted);
}

Offset EmbeddedProducer::delivered_end(TopicHandle handle, std::int32_t partition) const {
  const Topic& topic = topics_.at(handle);
  if (partition < 0 || static_cast<std::size_t>(partition) >= topic.outputs.size())
    return kNoOffset;
  return topic.outputs[static_cast<std::size_t>(partition)].delivered_end;
}

}  // namespace thalweg::internal
