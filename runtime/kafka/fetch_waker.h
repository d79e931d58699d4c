#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <thalweg/schemas/record.h>

#include "kafka/kafka_client.h"

namespace thalweg::internal {

/// A partition that is read, as the FetchWaker sees it.
struct ReadPartition {
  TopicPartition partition;
  /// Its queue is empty although the log holds more, or it has not begun.
  std::atomic<bool> hungry = true;
};

/// Wakes librdkafka's threads that fetch: they look for new and for drained partitions only when
/// something happens on their broker's connection, else once a second. Any request is something, so
/// while a partition is hungry its watermarks are asked for, ever less often. Has a thread, as that
/// call blocks.
class FetchWaker {
 public:
  FetchWaker() : thread_([this] { run(); }) {}
  ~FetchWaker();

  void add(std::shared_ptr<KafkaClient> client, std::shared_ptr<ReadPartition> reading);
  void remove(const ReadPartition* reading);
  /// A partition has become hungry.
  void wake();

 private:
  struct Entry {
    std::shared_ptr<KafkaClient> client;
    std::shared_ptr<ReadPartition> reading;
    std::chrono::steady_clock::time_point due;
    std::chrono::milliseconds pause;  ///< Before the next request.
  };

  void run();
  Entry* next_due();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Entry> entries_;
  bool stopping_ = false;
  bool woken_ = false;
  std::thread thread_;  // Last, as it uses the others.
};

}  // namespace thalweg::internal
