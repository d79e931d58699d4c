#include "standby_tasks.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <spdlog/spdlog.h>

namespace thalweg::internal {

namespace {

using namespace std::chrono_literals;

constexpr auto kAskEvery = 500ms;

bool is_copied(const StreamTask::Store& store) {
  return store.internal && !store.changelog.topic.empty();
}

}  // namespace

StandbyTasks::StandbyTasks(Setup setup) : setup_(std::move(setup)) {
  asker_ = setup_.log->consumer({.client_id = setup_.client_id});
  asker_->set_wakeup(setup_.wakeup);
  make_restorer();
}

StandbyTasks::~StandbyTasks() {
  while (!tasks_.empty()) drop(tasks_.begin()->first);
}

void StandbyTasks::make_restorer() {
  auto consumer = setup_.log->consumer({.client_id = setup_.client_id});
  consumer->set_wakeup(setup_.wakeup);
  restorer_ = std::make_unique<StoreRestorer>(std::move(consumer));
}

void StandbyTasks::keep(const std::set<TaskId>& wanted) {
  std::vector<TaskId> unwanted;
  for (const auto& [id, standby] : tasks_) {
    if (!wanted.contains(id) && !standby.leaving) unwanted.push_back(id);
  }
  for (const TaskId id : unwanted) drop(id);
  for (const TaskId id : wanted) {
    if (tasks_.contains(id)) continue;
    const bool is_free =
        setup_.state->claim_standby(id, setup_.worker, [wanted = wanted_, wakeup = setup_.wakeup] {
          *wanted = true;
          wakeup();
        });
    if (!is_free) continue;
    tasks_[id].task = setup_.make(id);
    spdlog::info("task {}: keeping a standby replica", to_string(id));
    next_question_ = {};
  }
}

std::unique_ptr<StreamTask> StandbyTasks::promote(TaskId id) {
  const auto found = tasks_.find(id);
  if (found == tasks_.end()) return nullptr;
  auto task = std::move(found->second.task);
  drop(id);
  return task;
}

void StandbyTasks::drop(TaskId id) {
  restorer_->remove(id);
  tasks_.erase(id);  // The stores are closed before another worker may open them.
  setup_.state->withdraw_standby(id);
  setup_.state->unclaim(id, setup_.worker);
}

// The tasks that other workers of the process are to run: they wait for it. What is on disk they
// need not read again.
bool StandbyTasks::give_up_wanted() {
  if (!wanted_->exchange(false)) return false;
  bool any = false;
  for (auto& [id, standby] : tasks_) {
    if (standby.leaving || !setup_.state->is_claimed_by_other(id, setup_.worker)) continue;
    restorer_->remove(id);
    standby.leaving = std::make_shared<std::atomic<int>>(0);
    setup_.write_out(*standby.task, standby.leaving);
    any = true;
  }
  return any;
}

bool StandbyTasks::drop_those_that_leave() {
  std::vector<TaskId> written;
  for (const auto& [id, standby] : tasks_) {
    if (standby.leaving && *standby.leaving == 0) written.push_back(id);
  }
  for (const TaskId id : written) drop(id);
  return !written.empty();
}

bool StandbyTasks::run_once(std::size_t max_records) {
  if (give_up_wanted() || drop_those_that_leave()) return true;
  if (tasks_.empty()) return false;
  read_ends();
  ask_for_ends();
  const bool worked = restorer_->run_once(max_records);
  for (const TaskId id : restorer_->take_overtaken()) {
    tasks_.at(id).follows = false;
    next_question_ = setup_.clock->now() + kAskEvery;
  }
  if (restorer_->failure()) {
    // A changelog is gone, for example: begin again from what is there.
    spdlog::warn("standby replicas: {}; starting them again", restorer_->failure()->message);
    make_restorer();
    for (auto& [id, standby] : tasks_) standby.follows = false;
    next_question_ = setup_.clock->now() + kAskEvery;
  }
  return worked;
}

void StandbyTasks::replace_damaged_stores() {
  std::vector<TaskId> lost;
  for (auto& [id, standby] : tasks_) {
    for (auto& store : standby.task->stores()) {
      if (!store.damaged->exchange(false)) continue;
      spdlog::warn("store {} [{}]: what is on disk of the replica is damaged: it is copied anew",
                   store.name, to_string(id));
      restorer_->remove(id);
      standby.follows = false;
      setup_.state->withdraw_standby(id);
      next_question_ = {};
      if (const auto discarded = store.store->discard(); discarded) continue;
      lost.push_back(id);  // keep() tries again.
      break;
    }
  }
  for (const TaskId id : lost) drop(id);
}

void StandbyTasks::for_each(const std::function<void(StreamTask&)>& visit) {
  for (auto& [id, standby] : tasks_) visit(*standby.task);
}

void StandbyTasks::ask_for_ends() {
  if (asked_ || setup_.clock->now() < next_question_) return;
  std::vector<TopicPartition> changelogs;
  for (const auto& [id, standby] : tasks_) {
    for (const auto& store : standby.task->stores()) {
      if (is_copied(store)) changelogs.push_back(store.changelog);
    }
  }
  asked_ = true;
  asker_->fetch_ends(changelogs);
}

void StandbyTasks::read_ends() {
  for (ConsumerEvent event; asker_->poll(event); event = {}) {
    asked_ = false;
    next_question_ = setup_.clock->now() + kAskEvery;
    if (event.kind != ConsumerEvent::Kind::kEndOffsets) {
      spdlog::warn("standby replicas: {}", event.error.message);
      continue;
    }
    for (auto& [id, standby] : tasks_) {
      const bool is_answered = std::ranges::all_of(standby.task->stores(), [&](const auto& store) {
        return !is_copied(store) || event.ranges.contains(store.changelog);
      });
      if (!is_answered || standby.leaving) continue;  // It came after the question, or goes.
      if (!standby.follows) follow(id, standby, event);
      publish(id, standby, event);
    }
  }
}

void StandbyTasks::follow(TaskId id, Standby& standby, const ConsumerEvent& ends) {
  standby.follows = true;
  for (const auto& store : standby.task->stores()) {
    if (!is_copied(store)) continue;
    auto range = ends.ranges.at(store.changelog);
    // What the disk holds beyond the end is of another changelog.
    if (store.store->restored_to() <= range.end) range.end = std::numeric_limits<Offset>::max();
    if (auto added = restorer_->add(id, store.name, store.store, store.changelog, range); !added) {
      spdlog::warn("store {} [{}]: {}", store.name, to_string(id), added.error().message);
    }
  }
}

void StandbyTasks::publish(TaskId id, Standby& standby, const ConsumerEvent& ends) {
  for (const auto& store : standby.task->stores()) {
    if (!is_copied(store)) continue;
    const auto& range = ends.ranges.at(store.changelog);
    const Offset lag = std::max<Offset>(0, range.end - store.store->restored_to());
    setup_.state->publish_standby(store.name, id, {store.store->view(), lag});
  }
}

}  // namespace thalweg::internal
