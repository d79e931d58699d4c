#include "stream_thread.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "this_thread.h"

namespace thalweg::internal {
namespace {

using namespace std::chrono_literals;

constexpr auto kGlance = 50ms;  // Between two looks whether a rest is over.
constexpr auto kRestForEachStep = 100ms;

int processors() { return static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }

}  // namespace

StreamThread::StreamThread(std::unique_ptr<Worker> worker, Clock& clock, int nice,
                           std::function<void()> on_progress)
    : worker_(std::move(worker)),
      clock_(clock),
      nice_(nice),
      on_progress_(std::move(on_progress)),
      spare_time_(processors()) {
  worker_->set_wakeup([signal = signal_] {
    {
      std::lock_guard lock(signal->mutex);
      if (signal->woken) return;
      signal->woken = true;
    }
    signal->changed.notify_one();
  });
}

StreamThread::~StreamThread() {
  request_stop();
  join();
}

void StreamThread::start() {
  worker_->join();
  thread_ = std::thread([this] { run(); });
}

void StreamThread::wake() { worker_->wake(); }

void StreamThread::request_stop() { worker_->request_stop(); }

void StreamThread::join() {
  if (thread_.joinable()) thread_.join();
}

void StreamThread::run() {
  name_this_thread("StreamThread-" + std::to_string(worker_->number()));
  be_nice(nice_);
  bool settled = false;
  while (!worker_->stopped()) {
    const bool worked = worker_->run_once();
    if (worker_->settled() != settled) {
      settled = !settled;
      on_progress_();
    }
    give_way();
    if (worked || worker_->stopped()) continue;
    const auto deadline = worker_->next_deadline();
    const auto wait = deadline - clock_.now();
    std::unique_lock lock(signal_->mutex);
    signal_->changed.wait_for(lock, wait, [this] { return signal_->woken; });
    signal_->woken = false;
  }
  on_progress_();
}

void StreamThread::give_way() {
  if (nice_ == 0) return;
  const auto end = clock_.now() + nice_ * kRestForEachStep;
  while (worker_->may_rest() && clock_.now() < end && !spare_time_.is_left(clock_.now())) {
    std::unique_lock lock(signal_->mutex);
    signal_->changed.wait_for(lock, kGlance);
  }
}

}  // namespace thalweg::internal
