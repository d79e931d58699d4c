#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "query/change_reader.h"

namespace thalweg::internal {

/// The thread that serves all who follow stores; it begins with the first of them. Thread-safe.
class ChangeFeed {
 public:
  explicit ChangeFeed(QueryContext& context) : context_(context) {}
  ~ChangeFeed();  ///< As close().

  void add(ChangeWish wish, Responder responder);
  /// Ends the answers of all, and takes no more.
  void finish_all();
  /// The same, and ends the thread.
  void close();

 private:
  struct Follower {
    std::shared_ptr<ChangeReader> reader;
    std::shared_ptr<std::atomic<bool>> woken;
    Clock::Instant due{};
  };

  void run();
  void wake(std::atomic<bool>& woken);
  Clock::Instant step_all(std::vector<Follower>& followers);

  QueryContext& context_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Follower> followers_;
  bool woken_ = false;
  bool finished_ = false;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace thalweg::internal
