#include "query/change_feed.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "this_thread.h"

namespace thalweg::internal {

namespace {

constexpr std::size_t kFollowersMax = 256;
constexpr auto kOver = Clock::Instant::min();

}  // namespace

ChangeFeed::~ChangeFeed() { close(); }

void ChangeFeed::add(ChangeWish wish, Responder responder) {
  const std::lock_guard lock(mutex_);
  if (finished_ || followers_.size() >= kFollowersMax) {
    auto response = finished_ ? failed({ErrorCode::kUnavailable, "the service is shutting down"})
                              : problem(503, "too_many_followers",
                                        std::to_string(kFollowersMax) + " clients follow stores");
    return responder.send(std::move(response));
  }
  auto woken = std::make_shared<std::atomic<bool>>(true);
  auto reader = std::make_shared<ChangeReader>(context_, std::move(wish), std::move(responder),
                                               [this, woken] { wake(*woken); });
  followers_.push_back({std::move(reader), std::move(woken)});
  woken_ = true;
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
}

void ChangeFeed::wake(std::atomic<bool>& woken) {
  const std::lock_guard lock(mutex_);
  woken = true;
  woken_ = true;
  changed_.notify_all();
}

void ChangeFeed::finish_all() {
  std::vector<Follower> all;
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    all = followers_;
  }
  for (const auto& follower : all) follower.reader->finish();
}

void ChangeFeed::close() {
  finish_all();
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  for (const auto& follower : followers_) follower.reader->leave_log();
  followers_.clear();
}

void ChangeFeed::run() {
  name_this_thread("changes");
  auto due = Clock::Instant::max();
  for (;;) {
    std::vector<Follower> followers;
    {
      std::unique_lock lock(mutex_);
      const auto awake = [this] { return closing_ || woken_; };
      const auto now = context_.clock().now();
      if (due == Clock::Instant::max()) {
        changed_.wait(lock, awake);
      } else if (due > now) {
        changed_.wait_for(lock, due - now, awake);
      }
      if (closing_) return;
      woken_ = false;
      followers = followers_;
    }
    due = step_all(followers);
    const std::lock_guard lock(mutex_);
    // Others may have come meanwhile, at the end; none goes but here.
    for (std::size_t i = 0; i < followers.size(); ++i) followers_[i].due = followers[i].due;
    std::erase_if(followers_, [](const auto& follower) { return follower.due == kOver; });
  }
}

/// Those that are woken or due; when the next is.
Clock::Instant ChangeFeed::step_all(std::vector<Follower>& followers) {
  auto next = Clock::Instant::max();
  for (auto& follower : followers) {
    const auto now = context_.clock().now();
    if (follower.reader->is_over()) {
      follower.reader->leave_log();
      follower.due = kOver;
      continue;
    }
    if (follower.woken->exchange(false) || follower.due <= now) {
      follower.due = follower.reader->step(now);
    }
    next = std::min(next, follower.due);
  }
  return next;
}

}  // namespace thalweg::internal
