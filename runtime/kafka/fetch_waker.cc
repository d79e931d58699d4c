#include "kafka/fetch_waker.h"

#include <algorithm>
#include <utility>

namespace thalweg::internal {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kFirstPause = 4ms;
constexpr auto kLongestPause = 250ms;
constexpr int kAnswerMs = 500;

}  // namespace

FetchWaker::~FetchWaker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void FetchWaker::add(std::shared_ptr<KafkaClient> client, std::shared_ptr<ReadPartition> reading) {
  {
    const std::lock_guard lock(mutex_);
    entries_.push_back(
        {std::move(client), std::move(reading), Clock::now() + kFirstPause, kFirstPause});
    woken_ = true;
  }
  changed_.notify_one();
}

void FetchWaker::remove(const ReadPartition* reading) {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const Entry& entry) { return entry.reading.get() == reading; });
}

void FetchWaker::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (woken_) return;
    woken_ = true;
  }
  changed_.notify_one();
}

// The hungry one that waits longest; the others begin anew when they are hungry again.
FetchWaker::Entry* FetchWaker::next_due() {
  Entry* next = nullptr;
  for (Entry& entry : entries_) {
    if (!entry.reading->hungry) {
      entry.pause = kFirstPause;
      entry.due = {};
    } else if (!next || entry.due < next->due) {
      next = &entry;
    }
  }
  return next;
}

void FetchWaker::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    Entry* const next = next_due();
    if (!next) {
      changed_.wait(lock, [this] { return stopping_ || std::exchange(woken_, false); });
      continue;
    }
    if (next->due > Clock::now()) {
      changed_.wait_until(lock, Clock::time_point(next->due));
      continue;
    }
    next->due = Clock::now() + next->pause;
    next->pause = std::min<std::chrono::milliseconds>(2 * next->pause, kLongestPause);
    const auto client = next->client;
    const auto reading = next->reading;
    lock.unlock();
    std::int64_t low = 0;
    std::int64_t high = 0;
    rd_kafka_query_watermark_offsets(client->get(), reading->partition.topic.c_str(),
                                     reading->partition.partition, &low, &high, kAnswerMs);
    lock.lock();
  }
}

}  // namespace thalweg::internal
