#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace thalweg::shop {

/// Threads for handlers that may wait for other processes, as the server's must not. Thread-safe.
class HandlerThreads {
 public:
  using Work = std::move_only_function<void()>;

  explicit HandlerThreads(int threads);
  ~HandlerThreads();  ///< As close().

  /// Runs `work` soon. False, and it is dropped, when too much waits already, or after close().
  bool run(Work work);
  /// Ends after what is under way; what waits is dropped.
  void close();

 private:
  void serve();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> waiting_;
  bool closing_ = false;
  std::vector<std::thread> threads_;  // Last, as they use the others.
};

/// Work that is done one after the other, in the order it came, through `run`; where that takes no
/// more, what waits is dropped. Work that throws is told in the log, and the next is done.
class InOrder : public std::enable_shared_from_this<InOrder> {
 public:
  using Work = HandlerThreads::Work;
  using Run = std::function<bool(Work)>;

  explicit InOrder(Run run) : run_(std::move(run)) {}
  void add(Work work);
  /// False, and it is dropped, when as much waits already as one client may have.
  bool try_add(Work work);

 private:
  void next();
  void begin();

  const Run run_;
  std::mutex mutex_;
  std::deque<Work> waiting_;
  bool busy_ = false;
};

}  // namespace thalweg::shop
