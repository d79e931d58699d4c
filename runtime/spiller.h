#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include <thalweg/runtime/log.h>
#include <thalweg/state/state_store.h>

namespace thalweg::internal {

/// Moves committed writes of stores to disk, one spill at a time, each only once the log has made
/// durable what it holds.
///
/// submit() may be called from any thread; run_once() from one: that of start(), or the
/// simulator's.
class Spiller {
 public:
  explicit Spiller(Durability& durability) : durability_(durability) {}
  ~Spiller() { stop(); }

  /// `done` is called from the spiller's thread with how it went. The store may be closed before:
  /// nothing is written then (kUnavailable), as another one may hold its rows by now.
  void submit(std::shared_ptr<Spill> spill, std::function<void(const Status&)> done);
  /// Runs one spill whose commit is durable; false when there was none.
  bool run_once();

  void start();
  /// Finishes the spill under way, forgets the others: their writes are in the changelog.
  void stop();

 private:
  struct Job {
    std::shared_ptr<Spill> spill;
    std::function<void(const Status&)> done;
  };
  struct Signal {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::deque<Job> jobs;
  };
  std::optional<Job> take_durable();

  Durability& durability_;
  std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();
  std::jthread thread_;
};

}  // namespace thalweg::internal
