#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "spare_time.h"
#include "worker.h"

namespace thalweg::internal {

/// Drives one worker: steps it while it has something to do, waits when it has not.
class StreamThread {
 public:
  /// `on_progress` is called from the thread when settled() or stopped() of the worker may have
  /// changed.
  StreamThread(std::unique_ptr<Worker> worker, Clock& clock, int nice,
               std::function<void()> on_progress);
  ~StreamThread();

  void start();
  void wake();  ///< Makes the worker look again at what it waits for. From any thread.
  /// Asks the worker to stop; join() waits until it has.
  void request_stop();
  void join();
  const Worker& worker() const { return *worker_; }

 private:
  // Outlives the thread: the log may hold a wake-up a little longer.
  struct Signal {
    std::mutex mutex;
    std::condition_variable changed;
    bool woken = false;
  };
  void run();
  /// Rests while the machine's processors have no time to spare, and nobody waits for the worker.
  void give_way();

  std::unique_ptr<Worker> worker_;
  Clock& clock_;
  const int nice_;
  std::function<void()> on_progress_;
  SpareTime spare_time_;
  std::shared_ptr<Signal> signal_ = std::make_shared<Signal>();
  std::thread thread_;
};

}  // namespace thalweg::internal
