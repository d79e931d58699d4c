#include "record_queue.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <span>
#include <utility>

#include <thalweg/schemas/error.h>
#include <thalweg/topology/errors.h>

namespace thalweg::internal {

namespace {

// How many records are announced together, when the first of them becomes the head.
constexpr std::size_t kAnnounced = 16;

// What an extractor throws comes as a StreamsError around it. A SerdeError in there says that the
// record's time cannot be read.
std::optional<SerdeError> unreadable_time(const StreamsError& error) {
  try {
    std::rethrow_if_nested(error);
  } catch (const SerdeError& cause) {
    return cause;
  } catch (...) {
  }
  return std::nullopt;
}

}  // namespace

RecordQueue::RecordQueue(TopicPartition partition, SourceNode& source, TaskContext& context,
                         Offset position, Timestamp partition_time, BadRecord on_bad_record)
    : partition_(std::move(partition)),
      context_(context),
      source_name_(source.name()),
      input_(source.open_input(context)),
      on_bad_record_(std::move(on_bad_record)),
      position_(position),
      partition_time_(partition_time),
      metadata_{partition_.topic, partition_.partition, kNoOffset} {}

void RecordQueue::add(RecordBatch batch, std::string_view topic) {
  buffered_ += batch.records.size();
  batches_.push_back({std::move(batch), topic.empty() ? partition_.topic : topic});
  if (!has_head_) read_head();
}

void RecordQueue::add_hops(RecordBatch batch) {
  hops_ += batch.records.size();
  batches_.push_back({std::move(batch), partition_.topic, true});
  if (!has_head_) read_head();
}

std::vector<RecordBatch> RecordQueue::take_back() {
  std::vector<RecordBatch> back;
  if (hops_ == 0) return back;
  const bool head_goes = batches_.front().hops;
  if (head_goes) {
    auto& records = batches_.front().batch.records;
    records.erase(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(cursor_));
    cursor_ = 0;
  }
  for (auto& each : batches_) {
    if (each.hops) back.push_back(std::move(each.batch));
  }
  std::erase_if(batches_, [](const Batch& each) { return each.hops; });
  hops_ = 0;
  if (head_goes) read_head();
  return back;
}

void RecordQueue::pop() {
  if (!head_stands_in_) {
    const Batch& batch = batches_.front();
    partition_time_ = std::max(partition_time_, head_timestamp_);
    if (!batch.hops) position_ = metadata_.offset + 1;
    ++cursor_;
    --count_of(batch);
  }
  read_head();
}

void RecordQueue::read_head() {
  has_head_ = head_stands_in_ = false;
  bool dropped = false;
  while (!batches_.empty()) {
    const auto& [batch, topic, hops] = batches_.front();
    metadata_.topic = topic;
    for (; cursor_ < batch.records.size(); ++cursor_, --count_of(batches_.front())) {
      if (cursor_ % kAnnounced == 0) announce(batch);
      const RecordView& record = batch.records[cursor_];
      metadata_.offset = record.offset;
      if (readable(record)) {
        has_head_ = true;
        return;
      }
      if (!hops) position_ = record.offset + 1;
      dropped = true;
    }
    position_ = std::max(position_, batch.next);
    batches_.pop_front();
    cursor_ = 0;
  }
  if (!dropped) return;
  has_head_ = head_stands_in_ = true;
  head_timestamp_ = kNoTimestamp;
}

// What the next records will need from memory is asked for at once, instead of waited for by one
// after the other: their bytes, which another thread has written, and what nodes keep of their
// keys.
void RecordQueue::announce(const RecordBatch& batch) {
  if (!expects_) expects_ = input_->expects();
  const std::size_t count = std::min(kAnnounced, batch.records.size() - cursor_);
  if (count < 2) return;
  const std::span next(batch.records.data() + cursor_, count);
  for (const RecordView& record : next) {
    if (record.key) __builtin_prefetch(record.key->data());
    if (record.value) __builtin_prefetch(record.value->data());
  }
  if (!*expects_) return;
  try {
    input_->expect(next);
  } catch (...) {
    // Whatever a serde finds wrong with a record, it finds again when that is the head.
  }
}

bool RecordQueue::readable(const RecordView& record) {
  try {
    if (!input_->prepare(record, metadata_, partition_time_)) return false;
  } catch (const SerdeError& error) {
    on_bad_record_(record, metadata_, error);
    return false;
  } catch (const StreamsError& error) {
    const auto unreadable = unreadable_time(error);
    if (!unreadable) throw;
    on_bad_record_(record, metadata_, *unreadable);
    return false;
  }
  head_timestamp_ = input_->timestamp();
  if (head_timestamp_ < from_millis(0)) {
    context_.dropped(source_name_, "negative timestamp");
    return false;
  }
  return true;
}

}  // namespace thalweg::internal
