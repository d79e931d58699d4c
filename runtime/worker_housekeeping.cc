// What the worker does now and then beside its input: write to disk, give memory back, replace what
// is damaged.

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "worker.h"

namespace thalweg::internal {

void Worker::spill_what_is_due() {
  const auto now = clock_.now();
  if (now < next_housekeeping_) return;
  next_housekeeping_ = now + kHousekeepingInterval;
  purge_repartition_topics();
  if (!dirty_) {
    // With nothing open, whatever was read is processed: control records too, at which no commit
    // would end.
    for (const auto& [id, member] : members_) {
      if (member.state != TaskInfo::State::kRunning) continue;
      setup_.state->publish_positions(member.task->positions());
    }
  }
  const MemoryBudget& budget = *setup_.environment.budget;
  // Clean values give way by themselves; only what is not on disk yet calls for a spill.
  const bool pressed =
      budget.used() - std::min(budget.used(), budget.cached()) > budget.limit() / 2;
  for (auto& [id, member] : members_) {
    publish(member);
    spill(*member.task, pressed);
  }
  if (setup_.metadata) keep_standbys();
  if (standbys_) standbys_->for_each([&](StreamTask& task) { spill(task, pressed); });
  if (standbys_) standbys_->replace_damaged_stores();
  replace_damaged_stores();
}

void Worker::spill(StreamTask& task, bool pressed) {
  const auto now = clock_.now();
  const TaskId id = task.task_id();
  for (auto& store : task.stores()) {
    auto [last, first] = last_spill_.try_emplace({id, store.name}, now);
    const bool old = now - last->second >= config_.state_spill_interval;
    if (!old && !(pressed && store.store->unspilled_bytes() > 256 * 1024)) continue;
    auto spill = store.store->start_spill(clock_.wall_clock());
    if (!spill) continue;
    last->second = now;
    setup_.spiller->submit(
        std::move(spill),
        [full = disk_full_, name = store.name, id](const Status& status) {
          full->store(!status && status.error().code == ErrorCode::kNoSpace);
          // Closed or discarded meanwhile, it has nothing to write.
          if (status || status.error().code == ErrorCode::kUnavailable) return;
          spdlog::error("store {} [{}]: cannot write to disk, keeping it in memory: {}", name,
                        to_string(id), status.error().message);
        });
  }
}

// What a store has on disk is damaged, as a spill, a read or a query found: its changelog has it
// all, so it is restored from there. Returns whether there was any; then all begin anew.
bool Worker::replace_damaged_stores() {
  std::vector<std::pair<TaskId, StreamTask::Store*>> damaged;
  for (auto& [id, member] : members_) {
    for (auto& store : member.task->stores()) {
      if (store.damaged->exchange(false)) damaged.emplace_back(id, &store);
    }
  }
  if (damaged.empty()) return false;
  suspend_all();
  for (const auto& [id, store] : damaged) {
    const bool is_logged = !store->changelog.topic.empty();
    spdlog::warn("{}: store {} [{}]: what is on disk is damaged: {}", name_, store->name,
                 to_string(id),
                 is_logged ? "it is restored from its changelog"
                           : "it begins empty, as it has no changelog");
    setup_.state->withdraw_view(store->name, id.partition);  // Until it is whole again.
    if (auto discarded = store->store->discard(); !discarded) {
      fail("store " + store->name + ": " + discarded.error().message);
      return true;
    }
  }
  renew_producer();
  return true;
}

void Worker::write_out(StreamTask& task, const StandbyTasks::SpillsLeft& left) {
  for (auto& store : task.stores()) {
    auto spill = store.store->start_spill(clock_.wall_clock());
    if (!spill) continue;
    ++*left;
    setup_.spiller->submit(
        std::move(spill),
        [left, wakeup = wakeup_, name = store.name](const Status& status) {
          if (!status) {
            spdlog::warn("store {}: not written to disk at the end, it will be restored: {}", name,
                         status.error().message);
          }
          --*left;
          if (wakeup) wakeup();
        });
  }
}

}  // namespace thalweg::internal
