#include "query/topic_reader.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace thalweg::internal {

namespace {

constexpr std::chrono::milliseconds kNap{20};  // Between looks whether to stop.

class Reader {
 public:
  Reader(Log& log, Clock& clock, const TopicRead& read, const std::function<bool()>& stop)
      : log_(log),
        clock_(clock),
        read_(read),
        stop_(stop),
        deadline_(clock.now() + read.time),
        consumer_(log.consumer({.client_id = "query-service"})) {
    consumer_->set_wakeup([signal = signal_] {
      const std::lock_guard lock(signal->mutex);
      signal->woken = true;
      signal->changed.notify_one();
    });
  }

  Result<TopicPage> run() {
    const auto first = read_.partition.value_or(0);
    const auto last = read_.partition.value_or(read_.topic.partitions - 1);
    for (auto partition = first; partition <= last; ++partition) {
      if (auto status = read_partition(partition); !status) return std::unexpected(status.error());
    }
    return std::move(page_);
  }

 private:
  struct Signal {
    std::mutex mutex;
    std::condition_variable changed;
    bool woken = false;
  };

  Status read_partition(std::int32_t partition) {
    const TopicPartition place{read_.topic.name, partition};
    const auto range = log_.range(place);
    if (!range) return std::unexpected(range.error());
    Offset from = read_.offset.value_or(range->begin);
    if (from < 0) from += range->end;
    from = std::clamp(from, range->begin, range->end);
    page_.next[partition] = from;
    page_.end[partition] = range->end;
    if (full() || from >= range->end) return {};
    consumer_->assign(place, from, static_cast<std::uint32_t>(partition));
    const auto status = read_until(range->end, partition);
    consumer_->unassign(place);
    return status;
  }

  Status read_until(Offset end, std::int32_t partition) {
    auto& next = page_.next[partition];
    while (next < end && !full()) {
      std::vector<RecordBatch> batches;
      const bool found = consumer_->fetch(batches, read_.limit);
      for (const auto& batch : batches) take(batch, partition, next);
      ConsumerEvent event;
      while (consumer_->poll(event)) {
        if (event.kind == ConsumerEvent::Kind::kFailed ||
            event.kind == ConsumerEvent::Kind::kOutOfRange) {
          return failure(ErrorCode::kUnavailable,
                         to_string(TopicPartition{read_.topic.name, partition}) +
                             " cannot be read at offset " + std::to_string(next) + ": " +
                             event.error.message);
        }
      }
      if (clock_.now() >= deadline_ || stop_()) return {};
      if (!found) wait();
    }
    return {};
  }

  void take(const RecordBatch& batch, std::int32_t partition, Offset& next) {
    if (batch.tag != static_cast<std::uint32_t>(partition)) return;  // Of the partition before.
    page_.commit = std::max(page_.commit, batch.commit);
    for (const auto& record : batch.records) {
      if (full()) return;
      if (record.offset < next) continue;
      next = record.offset + 1;
      if (read_.timestamp && record.timestamp < *read_.timestamp) continue;
      TopicRecord copy{.partition = partition,
                       .offset = record.offset,
                       .timestamp = record.timestamp,
                       .key = {},
                       .value = {},
                       .headers = std::string(record.headers)};
      if (record.key) copy.key.emplace(*record.key);
      if (record.value) copy.value.emplace(*record.value);
      bytes_ +=
          copy.headers.size() + record.key.value_or("").size() + record.value.value_or("").size();
      page_.records.push_back(std::move(copy));
    }
    next = std::max(next, batch.next);
  }

  void wait() {
    std::unique_lock lock(signal_->mutex);
    signal_->changed.wait_for(lock, kNap, [this] { return signal_->woken; });
    signal_->woken = false;
  }

  bool full() const { return page_.records.size() >= read_.limit || bytes_ >= read_.bytes; }

  Log& log_;
  Clock& clock_;
  const TopicRead& read_;
  const std::function<bool()>& stop_;
  Clock::Instant deadline_;
  std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();
  std::unique_ptr<LogConsumer> consumer_;
  TopicPage page_;
  std::size_t bytes_ = 0;
};

}  // namespace

Result<TopicPage> read_topic(Log& log, Clock& clock, const TopicRead& read,
                             const std::function<bool()>& stop) {
  return Reader(log, clock, read, stop).run();
}

}  // namespace thalweg::internal
