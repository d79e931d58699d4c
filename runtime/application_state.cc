#include "application_state.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace thalweg::internal {

void ApplicationState::publish_view(const std::string& store, std::int32_t partition,
                                    std::shared_ptr<const StoreView> view) {
  std::lock_guard lock(views_mutex_);
  views_[store][partition] = std::move(view);
}

void ApplicationState::withdraw_view(const std::string& store, std::int32_t partition) {
  std::lock_guard lock(views_mutex_);
  views_[store].erase(partition);
}

std::map<std::int32_t, std::shared_ptr<const StoreView>> ApplicationState::views(
    std::string_view store) const {
  std::lock_guard lock(views_mutex_);
  const auto found = views_.find(store);
  if (found == views_.end()) return {};
  return found->second;
}

void ApplicationState::publish_standby(const std::string& store, TaskId task, StandbyView view) {
  std::lock_guard lock(views_mutex_);
  standbys_[store][task] = std::move(view);
}

void ApplicationState::withdraw_standby(TaskId task) {
  std::lock_guard lock(views_mutex_);
  for (auto& [store, views] : standbys_) views.erase(task);
}

std::optional<StandbyView> ApplicationState::standby(std::string_view store,
                                                     std::int32_t partition) const {
  std::lock_guard lock(views_mutex_);
  const auto found = standbys_.find(store);
  if (found == standbys_.end()) return std::nullopt;
  for (const auto& [task, view] : found->second) {
    if (task.partition == partition) return view;
  }
  return std::nullopt;
}

std::optional<Offset> ApplicationState::lag_of_copy(const ApplicationPlan& plan,
                                                    TaskId task) const {
  Offset longest = 0;
  for (const auto& store : plan.by_id(task.subtopology).stores) {
    if (!store.has_own_changelog()) continue;
    const auto copy = standby(store.name, task.partition);
    if (!copy) return std::nullopt;
    longest = std::max(longest, copy->lag);
  }
  return longest;
}

bool ApplicationState::claim(TaskId task, std::int32_t worker) {
  std::function<void()> wanted;
  {
    std::lock_guard lock(claims_mutex_);
    Claim& claim = claims_[task];
    claim.runner = worker;
    if (!claim.holder || *claim.holder == worker) {
      claim.holder = worker;
      claim.wanted = nullptr;
      return true;
    }
    wanted = claim.wanted;
  }
  if (wanted) wanted();
  return false;
}

bool ApplicationState::claim_standby(TaskId task, std::int32_t worker,
                                     std::function<void()> wanted) {
  std::lock_guard lock(claims_mutex_);
  Claim& claim = claims_[task];
  if (claim.holder || claim.runner) return false;
  claim.holder = worker;
  claim.wanted = std::move(wanted);
  return true;
}

bool ApplicationState::is_claimed_by_other(TaskId task, std::int32_t worker) const {
  std::lock_guard lock(claims_mutex_);
  const auto found = claims_.find(task);
  return found != claims_.end() && found->second.runner && *found->second.runner != worker;
}

void ApplicationState::unclaim(TaskId task, std::int32_t worker) {
  std::lock_guard lock(claims_mutex_);
  const auto found = claims_.find(task);
  if (found == claims_.end()) return;
  if (found->second.holder == worker) {
    found->second.holder.reset();
    found->second.wanted = nullptr;
  }
  if (found->second.runner == worker) found->second.runner.reset();
}

void ApplicationState::publish_positions(
    const std::map<TopicPartition, OffsetAndMetadata>& positions) {
  std::vector<Waiter> reached;
  {
    std::lock_guard lock(positions_mutex_);
    for (const auto& [input, position] : positions) {
      inputs_here_.insert(input);
      committed_[input] = position.offset;
      std::ranges::move(waiters_.take_passed(input, position.offset), std::back_inserter(reached));
    }
  }
  for (const auto& waiter : reached) waiter.done();
}

void ApplicationState::when_processed(const TopicPartition& input, Offset offset, Waiter waiter) {
  std::vector<Waiter> over;
  {
    std::lock_guard lock(positions_mutex_);
    if (keep(input, offset, waiter, over)) return;
  }
  waiter.done();
}

bool ApplicationState::when_processed_here(const TopicPartition& input, Offset offset,
                                           Waiter& waiter) {
  std::vector<Waiter> over;
  {
    std::lock_guard lock(positions_mutex_);
    if (!inputs_here_.contains(input)) return false;
    if (keep(input, offset, waiter, over)) return true;
  }
  waiter.done();
  return true;
}

bool ApplicationState::keep(const TopicPartition& input, Offset offset, Waiter& waiter,
                            std::vector<Waiter>& over) {
  const auto committed = committed_.find(input);
  if (committed != committed_.end() && committed->second > offset) return false;
  over = waiters_.add(input, offset, std::move(waiter));
  return true;
}

void ApplicationState::drop_waiters() {
  PositionWaiters dropped;  // Goes without the lock.
  std::lock_guard lock(positions_mutex_);
  std::swap(dropped, waiters_);
}

void ApplicationState::publish_task(TaskInfo info) {
  std::lock_guard lock(tasks_mutex_);
  const TaskId id = info.id;
  tasks_[id] = std::move(info);
}

void ApplicationState::withdraw_task(TaskId id) {
  std::map<TopicPartition, Offset> inputs;
  {
    std::lock_guard lock(tasks_mutex_);
    const auto found = tasks_.find(id);
    if (found == tasks_.end()) return;
    inputs = std::move(found->second.positions);
    tasks_.erase(found);
  }
  std::vector<std::pair<TopicPartition, PositionWaiters::ByOffset>> left;
  {
    std::lock_guard lock(positions_mutex_);
    for (const auto& [input, position] : inputs) {
      inputs_here_.erase(input);
      if (moved_) left.emplace_back(input, waiters_.take_all(input));
    }
  }
  for (auto& [input, waiting] : left) {
    for (auto& [offset, waiter] : waiting) moved_(input, offset, std::move(waiter));
  }
}

std::vector<TaskInfo> ApplicationState::tasks() const {
  std::lock_guard lock(tasks_mutex_);
  std::vector<TaskInfo> tasks;
  for (const auto& [id, info] : tasks_) tasks.push_back(info);
  return tasks;
}

}  // namespace thalweg::internal
