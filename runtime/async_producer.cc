#include <thalweg/runtime/async_producer.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <thalweg/runtime/clock.h>
#include <thalweg/schemas/partitioning.h>

#include "this_thread.h"

namespace thalweg {

namespace {

// Keeps a batch, and so one commit, from growing without bound under load.
constexpr std::size_t kMaxBatch = 10'000;
// What waits for a log that does not answer; more is refused.
constexpr std::size_t kMaxWaiting = 64u << 20;
// What a record takes beside its key and value, about.
constexpr std::size_t kRecordOverhead = 256;
// Between two commits: a lone record does not wait; under load, those of a millisecond share one.
constexpr std::chrono::milliseconds kPause{1};

}  // namespace

class AsyncProducer::Impl {
 public:
  Impl(Log& log, std::string client_id) : log_(log), client_id_(std::move(client_id)) {
    make_producer();
    thread_ = std::thread([this] {
      internal::name_this_thread("producer");
      run();
    });
  }

  ~Impl() { close(); }

  void close() {
    {
      std::lock_guard lock(signal_->mutex);
      if (closing_) return;
      closing_ = true;
    }
    signal_->wake();
    thread_.join();
  }

  struct Message {
    std::string topic;
    std::optional<std::string> key;
    std::optional<std::string> value;
    Timestamp timestamp;
    Headers headers;
    Callback callback;
    std::optional<std::int32_t> partition;
    Sent sent{};
    TopicHandle handle = 0;
  };

  void enqueue(Message message) {
    {
      std::unique_lock lock(signal_->mutex);
      if (closing_) {
        lock.unlock();
        message.callback(failure(ErrorCode::kUnavailable, "the producer is closed"));
        return;
      }
      if (waiting_bytes_ > kMaxWaiting) {
        lock.unlock();
        message.callback(failure(ErrorCode::kUnavailable, "too much waits to be written"));
        return;
      }
      waiting_bytes_ += size_of(message);
      waiting_.push_back(std::move(message));
      if (waiting_.size() > 1) return;  // The thread was told of the first.
    }
    signal_->changed.notify_one();
  }

 private:
  struct Signal {
    void wake() {
      {
        std::lock_guard lock(mutex);
        woken = true;
      }
      changed.notify_one();
    }
    std::mutex mutex;
    std::condition_variable changed;
    bool woken = false;
  };

  void make_producer() {
    producer_ = log_.producer({.client_id = client_id_});
    producer_->set_wakeup([signal = signal_] { signal->wake(); });
    producer_->init();
  }

  void run() {
    for (;;) {
      std::vector<Message> batch;
      {
        std::unique_lock lock(signal_->mutex);
        signal_->changed.wait(lock, [this] { return !waiting_.empty() || closing_; });
        if (waiting_.empty()) return;
        signal_->changed.wait_for(lock, next_commit_ - system_clock().now(),
                                  [this] { return closing_; });
        next_commit_ = system_clock().now() + kPause;
        const auto count = std::min(waiting_.size(), kMaxBatch);
        batch.assign(
            std::make_move_iterator(waiting_.begin()),
            std::make_move_iterator(waiting_.begin() + static_cast<std::ptrdiff_t>(count)));
        waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
        for (const auto& message : batch) waiting_bytes_ -= size_of(message);
      }
      if (!write(std::move(batch))) give_up_if_closing();
    }
  }

  static std::size_t size_of(const Message& message) {
    return kRecordOverhead + (message.key ? message.key->size() : 0) +
           (message.value ? message.value->size() : 0);
  }

  // A log that did not take one batch in its time is not waited for with the others.
  void give_up_if_closing() {
    std::vector<Message> refused;
    {
      const std::lock_guard lock(signal_->mutex);
      if (!closing_) return;
      refused = std::exchange(waiting_, {});
      waiting_bytes_ = 0;
    }
    for (auto& message : refused) {
      message.callback(failure(ErrorCode::kUnavailable, "the producer was closed"));
    }
  }

  /// False: the log did not take it.
  bool write(std::vector<Message> batch) {
    producer_->begin();
    std::string headers;
    std::vector<Message> sent;
    sent.reserve(batch.size());
    for (auto& message : batch) {
      message.handle = producer_->topic(message.topic);
      const auto partitions = producer_->partitions(message.handle);
      if (!partitions) {
        message.callback(std::unexpected(partitions.error()));
        continue;
      }
      const auto partition = choose_partition(message, *partitions);
      if (partition < 0 || partition >= *partitions) {
        message.callback(failure(ErrorCode::kInvalid,
                                 message.topic + " has no partition " + std::to_string(partition)));
        continue;
      }
      headers.clear();
      message.headers.encode(headers);
      const auto status = producer_->send(message.handle, partition, message.key, message.value,
                                          message.timestamp, headers);
      if (!status) {
        message.callback(std::unexpected(status.error()));
        continue;
      }
      message.sent.partition = {message.topic, partition};
      sent.push_back(std::move(message));
    }
    return sent.empty() || commit(std::move(sent));
  }

  std::int32_t choose_partition(const Message& message, std::int32_t partitions) {
    if (message.partition) return *message.partition;
    if (message.key) return partition_of(*message.key, partitions);
    return static_cast<std::int32_t>(keyless_++ % static_cast<std::uint32_t>(partitions));
  }

  bool commit(std::vector<Message> batch) {
    producer_->commit();
    const ProducerEvent event = wait_for_commit();
    if (event.kind != ProducerEvent::Kind::kCommitted) {
      if (event.kind == ProducerEvent::Kind::kAbortRequired) {
        producer_->abort();
      } else {
        make_producer();  // The old one is of no further use.
      }
      for (auto& message : batch) message.callback(std::unexpected(event.error));
      return false;
    }
    // The batch's records of a partition are consecutive and end at delivered_end().
    std::unordered_map<TopicPartition, Offset> next;
    for (auto message = batch.rbegin(); message != batch.rend(); ++message) {
      auto [position, first] = next.try_emplace(message->sent.partition, kNoOffset);
      if (first) {
        position->second =
            producer_->delivered_end(message->handle, message->sent.partition.partition);
      }
      message->sent.offset = --position->second;
    }
    auto durable = std::make_shared<std::vector<Message>>(std::move(batch));
    log_.durability().when_durable(event.commit, [durable] {
      for (auto& message : *durable) message.callback(std::move(message.sent));
    });
    return true;
  }

  ProducerEvent wait_for_commit() {
    for (;;) {
      ProducerEvent event;
      while (producer_->poll(event)) {
        if (event.kind != ProducerEvent::Kind::kReady &&
            event.kind != ProducerEvent::Kind::kAborted) {
          return event;
        }
      }
      std::unique_lock lock(signal_->mutex);
      signal_->changed.wait(lock, [this] { return signal_->woken; });
      signal_->woken = false;
    }
  }

  Log& log_;
  const std::string client_id_;
  std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();
  std::unique_ptr<LogProducer> producer_;
  std::vector<Message> waiting_;
  std::size_t waiting_bytes_ = 0;
  Clock::Instant next_commit_{};
  bool closing_ = false;
  std::uint32_t keyless_ = 0;
  std::thread thread_;

  friend class AsyncProducer;
};

AsyncProducer::AsyncProducer(Log& log, std::string client_id)
    : impl_(std::make_unique<Impl>(log, std::move(client_id))) {}

AsyncProducer::~AsyncProducer() = default;

void AsyncProducer::send(std::string topic, std::optional<std::string> key,
                         std::optional<std::string> value, Timestamp timestamp, Headers headers,
                         Callback callback, std::optional<std::int32_t> partition) {
  impl_->enqueue({.topic = std::move(topic),
                  .key = std::move(key),
                  .value = std::move(value),
                  .timestamp = timestamp,
                  .headers = std::move(headers),
                  .callback = std::move(callback),
                  .partition = partition});
}

void AsyncProducer::close() { impl_->close(); }

}  // namespace thalweg
