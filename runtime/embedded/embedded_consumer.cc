#include "embedded/embedded_consumer.h"

#include <algorithm>
#include <utility>

namespace thalweg::internal {

namespace {

/// Collects batches in a RecordBatch that keeps their memory.
class BatchCollector {
 public:
  void add(const BatchPtr& batch) {
    commit_ = std::max(commit_, batch->commit);
    if (!first_) {
      first_ = batch;
    } else {
      if (!all_) all_ = std::make_shared<std::vector<BatchPtr>>(1, first_);
      all_->push_back(batch);
    }
  }
  void finish(RecordBatch& into) {
    into.commit = commit_;
    if (all_) {
      into.memory = std::move(all_);
    } else {
      into.memory = std::move(first_);
    }
  }

 private:
  CommitSequence commit_ = 0;
  BatchPtr first_;
  std::shared_ptr<std::vector<BatchPtr>> all_;
};

}  // namespace

EmbeddedConsumer::~EmbeddedConsumer() {
  leave();
  for (Reading& reading : readings_) reading.partition->remove_reader(mailbox_);
  mailbox_->wakeup.close();
}

// --- Membership -------------------------------------------------------------------------------

void EmbeddedConsumer::subscribe(const std::vector<std::string>& topics) {
  for (const std::string& topic : topics) {
    if (auto found = log_.find_or_create(topic); !found) {
      answer({.kind = ConsumerEvent::Kind::kFailed, .error = found.error()});
      return;
    }
  }
  member_ = log_.join(options_.group, member_, options_.client_id, topics, mailbox_);
}

void EmbeddedConsumer::release(const std::vector<TopicPartition>& partitions) {
  if (!member_.empty()) log_.release(options_.group, member_, partitions);
}

GroupMetadata EmbeddedConsumer::group_metadata() const {
  if (member_.empty()) return {.group = options_.group};
  return {options_.group, member_, log_.generation(options_.group)};
}

void EmbeddedConsumer::leave() {
  if (member_.empty()) return;
  log_.leave(options_.group, member_);
  member_.clear();
}

// --- Reading ----------------------------------------------------------------------------------

void EmbeddedConsumer::assign(const TopicPartition& name, Offset from, std::uint32_t tag) {
  unassign(name);
  auto partition = log_.partition(name);
  if (!partition) {
    fail(name, partition.error());
    return;
  }
  (*partition)->add_reader(mailbox_);
  readings_.push_back({.partition = *std::move(partition), .tag = tag, .position = from});
  drained_ = false;
}

EmbeddedConsumer::Reading* EmbeddedConsumer::find(const TopicPartition& name) {
  const auto found = std::ranges::find_if(
      readings_, [&](const Reading& reading) { return reading.partition->name() == name; });
  return found == readings_.end() ? nullptr : &*found;
}

void EmbeddedConsumer::unassign(const TopicPartition& name) {
  const Reading* reading = find(name);
  if (!reading) return;
  reading->partition->remove_reader(mailbox_);
  readings_.erase(readings_.begin() + (reading - readings_.data()));
}

void EmbeddedConsumer::pause(const TopicPartition& name) {
  if (Reading* reading = find(name)) reading->paused = true;
}

void EmbeddedConsumer::resume(const TopicPartition& name) {
  if (Reading* reading = find(name)) reading->paused = false;
  drained_ = false;
}

bool EmbeddedConsumer::fetch(std::vector<RecordBatch>& into, std::size_t max_records) {
  if (mailbox_->take_records()) drained_ = false;
  if (drained_ || readings_.empty()) return false;
  const std::size_t before = into.size();
  const std::size_t share = std::max<std::size_t>(1, max_records / readings_.size());
  std::size_t left = max_records;
  ++first_;
  // Each its share first, so that none waits for another; then what is left to whoever has more.
  for (bool more = true; more && left > 0;) {
    more = false;
    for (std::size_t i = 0; i < readings_.size() && left > 0; ++i) {
      Reading& reading = readings_[(first_ + i) % readings_.size()];
      const std::size_t batches = into.size();
      if (reading.stopped || reading.paused) continue;
      if (!take(reading, std::min(share, left), into)) continue;
      more = true;
      for (std::size_t b = batches; b < into.size(); ++b) {
        left -= std::min(left, into[b].records.size());
      }
    }
    drained_ = !more;
  }
  return into.size() > before;
}

bool EmbeddedConsumer::refill(Reading& reading, std::size_t records_max) {
  PartitionLog& partition = *reading.partition;
  if (partition.deleted()) {
    stop(reading,
         {.kind = ConsumerEvent::Kind::kFailed,
          .error = {ErrorCode::kNotFound, "topic " + partition.name().topic + " was deleted"}});
    return false;
  }
  const Offset end = partition.end();
  if (reading.position == end) return false;
  if (reading.position > end || reading.position < partition.begin()) {
    stop(reading, out_of_range(partition.name(), reading.position, partition.begin(), end));
    return false;
  }
  if (auto status = partition.read(reading.position, records_max, reading.fetched); !status) {
    stop(reading, {.kind = ConsumerEvent::Kind::kFailed, .error = status.error()});
    return false;
  }
  // Records may have been deleted while they were looked for; then what was found has a gap.
  if (reading.position < partition.begin() &&
      (reading.fetched.empty() || reading.fetched.front()->base > reading.position)) {
    stop(reading, out_of_range(partition.name(), reading.position, partition.begin(), end));
    return false;
  }
  return !reading.fetched.empty();
}

bool EmbeddedConsumer::take(Reading& reading, std::size_t records_max,
                            std::vector<RecordBatch>& into) {
  if (reading.fetched.empty() && !refill(reading, records_max) &&
      (reading.stopped || reading.end_told)) {
    return false;
  }
  reading.end_told = true;
  RecordBatch batch{.tag = reading.tag};
  BatchCollector collector;
  RecordView record;
  while (!reading.fetched.empty() && batch.records.size() < records_max) {
    const BatchPtr& front = reading.fetched.front();
    if (!std::exchange(reading.in_batch, true)) reading.reader = LogBatchReader(*front);
    collector.add(front);
    while (batch.records.size() < records_max && reading.reader.next(record)) {
      if (record.offset >= reading.position) batch.records.push_back(record);
    }
    if (!reading.reader.intact()) {
      const Error error{ErrorCode::kCorrupt, "a record in a stored batch is unreadable"};
      stop(reading, {.kind = ConsumerEvent::Kind::kFailed,
                     .error = at_offset(reading.partition->name(), reading.position, error)});
      break;
    }
    if (!reading.reader.done()) {
      reading.position = batch.records.back().offset + 1;
      break;
    }
    reading.position = std::max(reading.position, front->end());
    reading.in_batch = false;
    reading.fetched.pop_front();
  }
  batch.next = reading.position;
  batch.end = std::max(reading.position, reading.partition->end());
  collector.finish(batch);
  into.push_back(std::move(batch));
  return true;
}

void EmbeddedConsumer::stop(Reading& reading, ConsumerEvent event) {
  reading.stopped = true;
  reading.in_batch = false;
  reading.fetched.clear();
  event.partitions = {reading.partition->name()};
  answer(std::move(event));
}

// --- Questions --------------------------------------------------------------------------------

void EmbeddedConsumer::answer(ConsumerEvent event) {
  mailbox_->post(std::move(event));
  mailbox_->wakeup.call();
}

void EmbeddedConsumer::fail(const TopicPartition& partition, Error error) {
  answer(
      {.kind = ConsumerEvent::Kind::kFailed, .partitions = {partition}, .error = std::move(error)});
}

void EmbeddedConsumer::fetch_committed(const std::vector<TopicPartition>& partitions) {
  ConsumerEvent event{.kind = ConsumerEvent::Kind::kCommitted, .partitions = partitions};
  const auto committed = log_.committed(options_.group);
  for (const TopicPartition& partition : partitions) {
    const auto found = committed.find(partition);
    if (found != committed.end()) event.committed.insert(*found);
  }
  answer(std::move(event));
}

void EmbeddedConsumer::fetch_ends(const std::vector<TopicPartition>& partitions,
                                  const std::map<TopicPartition, Timestamp>& since) {
  ConsumerEvent event{.kind = ConsumerEvent::Kind::kEndOffsets, .partitions = partitions};
  for (const TopicPartition& partition : partitions) {
    auto range = log_.range(partition);
    if (!range) {
      fail(partition, range.error());
      return;
    }
    if (const auto time = since.find(partition); time != since.end()) {
      const auto found = log_.partition(partition).value()->first_since(time->second);
      if (!found) {
        fail(partition, found.error());
        return;
      }
      range->since = *found;
    }
    event.ranges[partition] = *range;
  }
  answer(std::move(event));
}

}  // namespace thalweg::internal
