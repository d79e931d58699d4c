// The worker's side of a rebalance: how a task comes to run, and how it leaves.
//
//   kAssigned -> stores open -> committed offsets -> ends of inputs and changelogs -> restore
//             -> run
//
// A suspended task takes the same way again from "committed offsets" on.

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include <thalweg/schemas/check.h>

#include "streams_metadata.h"
#include "warm_up.h"
#include "worker.h"

namespace thalweg::internal {
namespace {

/// Where a partition is read from for which nothing is committed.
Offset first_offset(AutoOffsetReset reset, const ConsumerEvent::Range& range,
                    const TopicPartition& partition) {
  switch (reset.kind()) {
    case AutoOffsetReset::Kind::kEarliest:
      return range.begin;
    case AutoOffsetReset::Kind::kLatest:
      return range.end;
    case AutoOffsetReset::Kind::kByDuration:
      return range.since;
    case AutoOffsetReset::Kind::kNone:
      break;
  }
  throw StreamsError("No valid committed offset found for input " + to_string(partition) +
                     ", and Consumed::auto_offset_reset says none: commit one for the group, or "
                     "say where to start");
}

}  // namespace

bool Worker::subscribe() {
  if (subscribed_ || stop_requested_ || (setup_.warm_up && !setup_.warm_up->may_join())) {
    return false;
  }
  subscribed_ = true;
  std::vector<std::string> topics;
  for (const auto& sub : setup_.plan->subtopologies) topics.push_back(sub.tasks_topic);
  assigned_once_ = topics.empty();  // Patterns that nothing matches yet.
  if (!topics.empty()) consumer_->subscribe(topics);
  update_settled();
  return true;
}

bool Worker::poll_consumer() {
  if (!consumer_) return false;
  bool worked = false;
  ConsumerEvent event;
  while (consumer_ && consumer_->poll(event)) {
    worked = true;
    switch (event.kind) {
      case ConsumerEvent::Kind::kAssigned:
        on_assigned(event.partitions);
        break;
      case ConsumerEvent::Kind::kRevoking:
        on_revoking(event.partitions);
        break;
      case ConsumerEvent::Kind::kLost:
        on_lost(event.partitions);
        break;
      case ConsumerEvent::Kind::kCommitted:
        on_committed_offsets(event);
        break;
      case ConsumerEvent::Kind::kEndOffsets:
        on_ends(event);
        break;
      case ConsumerEvent::Kind::kOutOfRange:
        on_out_of_range(event);
        return true;
      case ConsumerEvent::Kind::kFailed:
        fail(event.error.message);
        return true;
    }
    event = {};
  }
  return worked;
}

// Another owner may have committed and deleted before this one has heard that it lost the task, and
// a client may tell it late. If it is the committed position, asking again changes nothing.
void Worker::on_out_of_range(const ConsumerEvent& event) {
  constexpr int kLast = 5;
  const bool is_read = std::ranges::any_of(members_, [&](const auto& item) {
    const auto& inputs = item.second.task->inputs();
    return item.second.state == TaskInfo::State::kRunning &&
           std::ranges::find(inputs, event.partitions.at(0)) != inputs.end();
  });
  if (!is_read) return;  // Its task has left since.
  const std::string where = to_string(event.partitions.at(0)) + ": " + event.error.message;
  if (++out_of_range_in_row_ >= kLast) {
    fail(where + ": records were deleted before they were processed");
    return;
  }
  spdlog::warn("{}: {}; starting again from what is committed", name_, where);
  suspend_all();
  renew_producer();
}

void Worker::on_assigned(const std::vector<TopicPartition>& partitions) {
  assigned_once_ = true;
  for (const auto& partition : partitions) {
    const auto* plan = setup_.plan->by_tasks_topic(partition.topic);
    THALWEG_CHECK(plan, "assigned a topic that was not subscribed to");
    add_task({plan->id, partition.partition});
  }
  update_settled();
}

std::unique_ptr<StreamTask> Worker::make_task(TaskId id) {
  auto task =
      std::make_unique<StreamTask>(StreamTask::Setup{.id = id,
                                                     .topology = setup_.topology,
                                                     .subtopology = id.subtopology,
                                                     .plan = &setup_.plan->by_id(id.subtopology),
                                                     .config = &config_,
                                                     .environment = setup_.environment,
                                                     .collector = &hops_,
                                                     .globals = globals_.get(),
                                                     .wakeup = wakeup_});
  if (auto opened = task->open_stores(); !opened) {
    throw StreamsError("task " + to_string(id) + ": " + opened.error().message);
  }
  return task;
}

void Worker::add_task(TaskId id) {
  if (members_.contains(id)) return;
  if (!setup_.state->claim(id, setup_.index)) {
    waiting_.insert(id);
    return;
  }
  std::unique_ptr<StreamTask> task;
  if (standbys_) task = standbys_->promote(id);
  if (task) {
    setup_.state->claim(id, setup_.index);  // The replica has given it up.
    spdlog::info("task {}: goes on from its standby replica", to_string(id));
  } else {
    task = make_task(id);
  }
  Member& member = members_[id];
  member.plan = &setup_.plan->by_id(id.subtopology);
  member.task = std::move(task);
  publish(member);
}

bool Worker::add_waiting_tasks() {
  if (waiting_.empty()) return false;
  const std::size_t before = members_.size();
  for (const TaskId id : std::exchange(waiting_, {})) add_task(id);
  return members_.size() > before;
}

void Worker::make_standbys() {
  standbys_ = std::make_unique<StandbyTasks>(StandbyTasks::Setup{
      .log = setup_.environment.log,
      .clock = &clock_,
      .state = setup_.state,
      .worker = setup_.index,
      .client_id = name_ + "-standby",
      .wakeup = wakeup_,
      .make = [this](TaskId id) { return make_task(id); },
      .write_out = [this](auto& task, const auto& left) { write_out(task, left); }});
}

// Each worker keeps its share of what its process is to keep.
void Worker::keep_standbys() {
  std::set<TaskId> of_process = setup_.metadata->standby_tasks();
  if (setup_.warm_up) {
    if (disk_full_->load()) setup_.warm_up->give_up("its disk is full");
    of_process.merge(setup_.warm_up->copies());
  }
  std::set<TaskId> wanted;
  const auto workers = static_cast<std::uint32_t>(config_.num_stream_threads);
  for (const TaskId id : of_process) {
    const auto number = static_cast<std::uint32_t>(id.subtopology + id.partition);
    if (number % workers == static_cast<std::uint32_t>(setup_.index) && !members_.contains(id)) {
      wanted.insert(id);
    }
  }
  if (wanted.empty() && (!standbys_ || standbys_->is_empty())) {
    standbys_.reset();  // Its clients cost memory and threads.
    return;
  }
  if (!standbys_) make_standbys();
  standbys_->keep(wanted);
}

void Worker::close_task(TaskId id) {
  if (waiting_.erase(id) > 0) setup_.state->unclaim(id, setup_.index);
  const auto found = members_.find(id);
  if (found == members_.end()) return;
  Member& member = found->second;
  for (const auto& store : member.task->stores()) {
    setup_.state->withdraw_view(store.name, id.partition);
  }
  for (const auto& input : member.task->inputs()) {
    if (consumer_ && !member.tags.empty()) consumer_->unassign(input);
  }
  for (const auto tag : member.tags) inputs_[tag] = {};
  for (LocalHops::Route* route : member.hops) hops_.close(*route);
  if (restorer_) restorer_->remove(id);
  settling_.erase(id);
  setup_.state->withdraw_task(id);
  members_.erase(found);
  setup_.state->unclaim(id, setup_.index);
}

void Worker::on_revoking(const std::vector<TopicPartition>& partitions) {
  revoked_.insert(revoked_.end(), partitions.begin(), partitions.end());
}

void Worker::release_revoked() {
  for (const auto& partition : revoked_) {
    const auto* plan = setup_.plan->by_tasks_topic(partition.topic);
    if (plan) close_task({plan->id, partition.partition});
  }
  consumer_->release(std::exchange(revoked_, {}));
  update_settled();
}

void Worker::on_lost(const std::vector<TopicPartition>& partitions) {
  spdlog::warn("{}: lost its assignment; what was not committed is dropped", name_);
  for (const auto& partition : partitions) {
    const auto* plan = setup_.plan->by_tasks_topic(partition.topic);
    if (plan) close_task({plan->id, partition.partition});
    std::erase(revoked_, partition);
  }
  suspend_all();
  renew_producer();  // Its transaction holds writes of tasks that are no longer ours.
}

// Asks for the committed offsets of every task that waits for them.
bool Worker::settle() {
  // Never two questions at a time: the answer to an abandoned one would pass for that to the next,
  // and the offsets in it may be older than what another owner has committed since.
  if (questions_ > 0) return false;
  std::vector<TopicPartition> inputs;
  for (auto& [id, member] : members_) {
    if (member.state != TaskInfo::State::kCreated) continue;
    settling_.insert(id);
    const auto& of_task = member.task->inputs();
    inputs.insert(inputs.end(), of_task.begin(), of_task.end());
  }
  if (settling_.empty()) return false;
  ++questions_;
  consumer_->fetch_committed(inputs);
  return true;
}

void Worker::on_committed_offsets(const ConsumerEvent& event) {
  --questions_;
  if (settling_.empty()) return;
  std::vector<TopicPartition> partitions;
  std::map<TopicPartition, Timestamp> since;
  for (const auto id : settling_) {
    Member& member = members_.at(id);
    member.committed.clear();
    for (const auto& input : member.task->inputs()) {
      if (const auto found = event.committed.find(input); found != event.committed.end()) {
        member.committed.insert(*found);
      } else if (const auto reset = setup_.topology->auto_offset_reset(input.topic);
                 reset.kind() == AutoOffsetReset::Kind::kByDuration) {
        since.emplace(input, clock_.wall_clock() - reset.duration());
      }
      partitions.push_back(input);
    }
    for (const auto& store : member.task->stores()) {
      if (!store.changelog.topic.empty()) partitions.push_back(store.changelog);
    }
  }
  // Whoever had these tasks before may have written to others that run here.
  std::set<std::string> written;
  for (const auto id : settling_) {
    const auto& outputs = members_.at(id).plan->repartition_outputs;
    if (config_.repartition_local_hops) written.insert(outputs.begin(), outputs.end());
  }
  for (const auto& [id, member] : members_) {
    if (settling_.contains(id)) continue;
    for (const auto& topic : member.plan->repartition_inputs) {
      if (written.contains(topic)) partitions.push_back({topic, id.partition});
    }
  }
  ++questions_;
  consumer_->fetch_ends(partitions, since);
}

void Worker::on_ends(const ConsumerEvent& event) {
  --questions_;
  for (const auto& [partition, range] : event.ranges) hops_.wait_for(partition, range.end);
  for (const auto id : std::exchange(settling_, {})) {
    Member& member = members_.at(id);
    member.first_start = member.committed.empty();
    for (const auto& input : member.task->inputs()) {
      if (const auto known = member.committed.find(input); known != member.committed.end()) {
        const auto& range = event.ranges.at(input);
        if (known->second.offset >= range.begin && known->second.offset <= range.end) continue;
        spdlog::warn("task {}: {} is committed up to {}, but the log holds {} to {}", to_string(id),
                     to_string(input), known->second.offset, range.begin, range.end);
        continue;
      }
      const auto reset = setup_.topology->auto_offset_reset(input.topic);
      const Offset first = first_offset(reset, event.ranges.at(input), input);
      member.committed.emplace(input, OffsetAndMetadata{first, {}});
    }
    for (const auto& store : member.task->stores()) {
      if (store.changelog.topic.empty()) continue;
      auto range = event.ranges.at(store.changelog);
      if (!store.internal) {
        range.end = std::min(range.end, member.committed.at(store.changelog).offset);
      }
      if (auto added = restorer_->add(id, store.name, store.store, store.changelog, range);
          !added) {
        throw StreamsError("store " + store.name + ": " + added.error().message);
      }
    }
    member.state = TaskInfo::State::kRestoring;
    publish(member);
  }
}

void Worker::open_globals() {
  globals_ = std::make_unique<GlobalState>(GlobalState::Setup{.topology = setup_.topology,
                                                              .plan = &setup_.plan->globals,
                                                              .config = &config_,
                                                              .environment = setup_.environment});
  if (auto opened = globals_->open(); !opened) {
    throw StreamsError("global stores: " + opened.error().message);
  }
  auto consumer = setup_.environment.log->consumer({.client_id = name_ + "-global"});
  consumer->set_wakeup(wakeup_);
  // The workers' global stores are alike: the first one's stand for all.
  global_reader_ = std::make_unique<GlobalReader>(
      std::move(consumer), *globals_, setup_.index == 0 ? setup_.restore_listener : nullptr);
  globals_restored_ = false;
  global_reader_->begin();
}

bool Worker::read_globals() {
  if (!global_reader_) return false;
  const bool worked = global_reader_->run_once(setup_.restore_records);
  if (global_reader_->failure()) {
    throw StreamsError("global stores: " + global_reader_->failure()->message);
  }
  if (globals_restored_ || !global_reader_->restored()) return worked;
  globals_restored_ = true;
  // The workers' global stores are alike: the first one's answer the queries.
  for (const auto& global : globals_->plan()) {
    if (setup_.index == 0) {
      setup_.state->publish_view(global.store, 0, globals_->store(global.store).view());
    }
  }
  update_settled();
  return true;
}

bool Worker::restore() {
  const bool worked = restorer_->run_once(setup_.restore_records);
  for (const TaskId id : restorer_->take_overtaken()) {
    Member& member = members_.at(id);
    member.state = TaskInfo::State::kCreated;  // settle() asks for the ranges again.
    publish(member);
  }
  if (restorer_->failure()) throw StreamsError(restorer_->failure()->message);
  return worked;
}

bool Worker::start_restored() {
  if (!globals_restored_) return false;
  bool started = false;
  for (auto& [id, member] : members_) {
    if (member.state != TaskInfo::State::kRestoring || restorer_->restoring(id)) continue;
    if (member.first_start && restorer_->restored_records(id) > 0) {
      // As in Kafka Streams: offsets expire, or were deleted by somebody who wants just that.
      spdlog::warn(
          "task {}: its changelogs hold state, but the group {} has no committed offsets for its "
          "input: it is read from where Consumed::auto_offset_reset says, onto that state",
          to_string(id), config_.application_id);
    }
    start_task(member);
    started = true;
  }
  if (started) update_settled();
  return started;
}

void Worker::start_task(Member& member) {
  member.task->start(member.committed);
  const auto& inputs = member.task->inputs();
  member.tags.clear();
  member.paused.assign(inputs.size(), false);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto tag = static_cast<std::uint32_t>(inputs_.size());
    inputs_.push_back({&member, i});
    member.tags.push_back(tag);
    consumer_->assign(inputs[i], member.committed.at(inputs[i]).offset, tag);
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (LocalHops::Route* route = hops_.open(inputs[i], *member.task, i)) {
      member.hops.push_back(route);
    }
  }
  member.state = TaskInfo::State::kRunning;
  const TaskId id = member.task->task_id();
  for (const auto& store : member.task->stores()) {
    setup_.state->publish_view(store.name, id.partition, store.store->view());
  }
  setup_.state->publish_positions(member.committed);
  publish(member);
}

void Worker::publish(const Member& member) {
  TaskInfo info{.id = member.task->task_id(),
                .state = member.state,
                .worker = setup_.index,
                .stream_time = member.task->stream_time(),
                .processed = member.task->processed()};
  for (const auto& [input, position] : member.committed) info.positions[input] = position.offset;
  if (restorer_) info.restores = restorer_->progress(info.id);
  setup_.state->publish_task(std::move(info));
}

void Worker::update_settled() {
  settled_ = phase_ != Phase::kStopped && assigned_once_ && globals_restored_ && waiting_.empty() &&
             std::ranges::all_of(members_, [](const auto& item) {
               return item.second.state == TaskInfo::State::kRunning;
             });
}

}  // namespace thalweg::internal
