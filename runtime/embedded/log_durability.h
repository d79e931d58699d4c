#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include <thalweg/runtime/log.h>
#include <thalweg/state/storage.h>

namespace thalweg::internal {

/// Makes commits durable, all that are visible by one sync, and tells who waits for that.
class LogDurability final : public Durability {
 public:
  explicit LogDurability(Journal& journal) : journal_(journal) {}
  ~LogDurability() override { stop(); }

  CommitSequence durable() const override { return durable_.load(std::memory_order_acquire); }
  CommitSequence visible() const override { return visible_.load(std::memory_order_acquire); }
  void when_durable(CommitSequence commit, std::function<void()> done) override;

  /// The commit is in the journal and shown to readers. Called in the order of commits.
  void publish(CommitSequence commit);
  /// One sync if one is due; returns whether there was.
  bool step();
  /// Why the last sync failed. Until one succeeds nothing may be appended: more would only be lost.
  Status status() const;
  bool failed() const { return failed_.load(std::memory_order_acquire); }

  void start();
  void stop();

 private:
  void run();
  void run_callbacks();

  Journal& journal_;
  std::atomic<CommitSequence> durable_ = 0;
  std::atomic<CommitSequence> visible_ = 0;
  std::atomic<bool> failed_ = false;

  std::mutex sync_mutex_;  // Held while syncing: one at a time.

  mutable std::mutex mutex_;  // Guards the rest.
  std::condition_variable due_;
  std::multimap<CommitSequence, std::function<void()>> waiting_;
  Status status_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace thalweg::internal
