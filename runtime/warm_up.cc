#include "warm_up.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

namespace thalweg::internal {

namespace {

using namespace std::chrono_literals;

/// For so long a group is waited for that could never be asked.
constexpr auto kLongestUnknown = 5s;
constexpr auto kTellEvery = 10s;
constexpr auto kUntilOwnersKnow = 2s;

}  // namespace

WarmUp::WarmUp(Setup setup, Instant now) : setup_(std::move(setup)), began_(now), told_(now) {
  if (setup_.tasks.empty() || setup_.at_a_time == 0) phase_ = Phase::kOver;
}

void WarmUp::look(const GroupView& group, Instant now) {
  if (phase_ == Phase::kJoining && group.is_known) wait_until_settled(group, now);
  if (phase_ != Phase::kCopying) return;
  if (!group.is_known) {
    if (!was_known_ && now - began_ > kLongestUnknown) give_up("its group cannot be asked");
    return;
  }
  was_known_ = true;
  if (group.present.empty() || group.present.contains(setup_.instance) || is_caught_up()) {
    return join();
  }
  tell(now);
}

bool WarmUp::is_caught_up() {
  const std::lock_guard lock(mutex_);
  for (const TaskId task : setup_.tasks) {
    if (caught_up_.contains(task)) continue;
    const auto lag = setup_.lag(task);
    if (lag && *lag <= setup_.acceptable_lag) caught_up_.insert(task);
  }
  return caught_up_.size() == setup_.tasks.size();
}

// A task has no owner between the process that gave it up and the one that gets it. And the group
// may know of a new owner before the owner does.
void WarmUp::wait_until_settled(const GroupView& group, Instant now) {
  const bool is_settled =
      group.present.contains(setup_.instance) &&
      std::ranges::all_of(setup_.tasks, [&](TaskId task) { return group.owners.contains(task); });
  if (!is_settled) settled_since_.reset();
  if (is_settled && !settled_since_) settled_since_ = now;
  if (settled_since_ && now - *settled_since_ >= kUntilOwnersKnow) phase_ = Phase::kOver;
}

void WarmUp::give_up(const std::string& reason) {
  if (phase_.exchange(Phase::kOver) == Phase::kOver) return;
  spdlog::warn("{}: {}; it joins without a copy of what the others have", setup_.application_id,
               reason);
  setup_.on_joining();
}

void WarmUp::join() {
  auto expected = Phase::kCopying;
  if (!phase_.compare_exchange_strong(expected, Phase::kJoining)) return;
  {
    const std::lock_guard lock(mutex_);
    if (!caught_up_.empty()) {
      spdlog::info("{}: joins with a copy of {} of {} tasks' state", setup_.application_id,
                   caught_up_.size(), setup_.tasks.size());
    }
  }
  setup_.on_joining();
}

void WarmUp::tell(Instant now) {
  if (now - told_ < kTellEvery) return;
  told_ = now;
  std::int64_t behind = 0;
  for (const TaskId task : setup_.tasks) behind += setup_.lag(task).value_or(0);
  const std::lock_guard lock(mutex_);
  spdlog::info("{}: copies the others' state before it joins: {} of {} tasks, {} offsets behind",
               setup_.application_id, caught_up_.size(), setup_.tasks.size(), behind);
}

std::set<TaskId> WarmUp::copies() const {
  if (phase_ == Phase::kOver) return {};
  const std::lock_guard lock(mutex_);
  std::set<TaskId> copies = caught_up_;
  std::int32_t left = setup_.at_a_time;
  for (const TaskId task : setup_.tasks) {
    if (left > 0 && copies.insert(task).second) --left;
  }
  return copies;
}

}  // namespace thalweg::internal
