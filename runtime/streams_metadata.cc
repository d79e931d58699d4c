#include "streams_metadata.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include <thalweg/runtime/clock.h>

namespace thalweg::internal {

namespace {

using namespace std::chrono_literals;

constexpr auto kLookEvery = 250ms;
constexpr auto kAnnounceAgain = 2s;
/// How long a process that announces itself may take to join, before it counts as gone.
constexpr auto kJoining = 5s;
constexpr auto kEndingLongest = 5s;
constexpr auto kGlance = 5ms;

std::string show(std::int32_t workers, const std::string& server) {
  return std::to_string(workers) + " " + server;
}

/// The instance of a member, from its client.id.
std::string instance_of(const std::string& client_id) {
  return client_id.substr(0, client_id.rfind('-'));
}

}  // namespace

std::string member_client_id(const std::string& instance, std::int32_t worker) {
  return instance + "-" + std::to_string(worker + 1);
}

std::string transactional_id(const std::string& application_id, const std::string& instance,
                             std::int32_t worker) {
  return application_id + "-" + (instance.empty() ? "" : instance + "-") + std::to_string(worker);
}

StreamsMetadataState::StreamsMetadataState(Setup setup)
    : setup_(std::move(setup)), topic_(setup_.application_id + "-thalweg-instances-changelog") {}

StreamsMetadataState::~StreamsMetadataState() { stop(false); }

Status StreamsMetadataState::start() {
  const auto created = setup_.log->create_topic(
      {.name = topic_, .partitions = 1, .cleanup = CleanupPolicy::kCompact});
  if (!created && created.error().code != ErrorCode::kAlreadyExists) return created;
  reader_ = setup_.log->consumer({.client_id = "instances"});
  reader_->assign({topic_, 0}, 0, 0);
  writer_ = std::make_unique<AsyncProducer>(*setup_.log, "instances");
  thread_ = std::thread([this] { run(); });
  return {};
}

void StreamsMetadataState::stop(bool is_clean) {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
  if (is_clean && setup_.workers > 0) withdraw(setup_.instance);
  writer_->close();
  reader_.reset();
}

std::optional<std::string> StreamsMetadataState::server_of(TaskId task) const {
  const std::lock_guard lock(mutex_);
  const auto owner = owners_.find(task);
  if (owner == owners_.end() || owner->second == setup_.instance) return std::nullopt;
  const auto instance = instances_.find(owner->second);
  if (instance == instances_.end() || instance->second.server.empty()) return std::nullopt;
  return instance->second.server;
}

bool StreamsMetadataState::all_tasks_answer() const {
  for (const auto& sub : setup_.plan->subtopologies) {
    for (std::int32_t partition = 0; partition < sub.tasks; ++partition) {
      if (!server_of({sub.id, partition})) return false;
    }
  }
  return true;
}

std::set<TaskId> StreamsMetadataState::standby_tasks() const {
  const std::lock_guard lock(mutex_);
  return standby_tasks_;
}

// Called with the lock held. A task that nobody has, for a moment, stays where it is copied; a copy
// of one that has just come here is about to become the task, whose worker may not know it yet.
void StreamsMetadataState::place_standbys() {
  for (const auto& [task, owner] : owners_) {
    if (owner == setup_.instance) continue;
    const bool has_state = std::ranges::any_of(setup_.plan->by_id(task.subtopology).stores,
                                               &PlannedSubTopology::Store::has_own_changelog);
    std::vector<std::pair<std::size_t, std::string>> order;
    for (const auto& name : present_) {
      if (name == owner || !instances_.contains(name)) continue;
      order.emplace_back(std::hash<std::string>{}(name + "/" + to_string(task)), name);
    }
    std::ranges::sort(order);
    order.resize(std::min(order.size(), static_cast<std::size_t>(setup_.standby_replicas)));
    const bool is_here = has_state && std::ranges::any_of(order, [this](const auto& place) {
                           return place.second == setup_.instance;
                         });
    if (is_here) {
      standby_tasks_.insert(task);
    } else {
      standby_tasks_.erase(task);
    }
  }
}

void StreamsMetadataState::run() {
  std::unique_lock lock(mutex_);
  do {
    lock.unlock();
    read_instances();
    look_at_group();
    if (setup_.on_look) setup_.on_look({group_is_known_, present_, owners_});
    // Not before it joins: who is announced and does not come to the group is taken for dead.
    const bool joins = !setup_.warm_up || setup_.warm_up->may_join();
    if (setup_.workers > 0 && joins && !announced_) announce();
    if (setup_.workers > 0) end_transactions_of_the_dead();
    lock.lock();
  } while (!changed_.wait_for(lock, kLookEvery, [this] { return stopping_; }));
}

void StreamsMetadataState::announce() {
  announced_ = Clock::now();
  writer_->send(
      topic_, setup_.instance, show(setup_.workers, setup_.server), system_clock().wall_clock(), {},
      [](const auto&) {}, 0);
}

void StreamsMetadataState::withdraw(const std::string& instance) {
  writer_->send(
      topic_, instance, std::nullopt, system_clock().wall_clock(), {}, [](const auto&) {}, 0);
}

void StreamsMetadataState::read_instances() {
  std::vector<RecordBatch> batches;
  while (reader_->fetch(batches, 1000)) {
  }
  for (ConsumerEvent event; reader_->poll(event);) {
    spdlog::debug("{}: {}", topic_, event.error.message);
  }
  const std::lock_guard lock(mutex_);
  for (const RecordBatch& batch : batches) {
    for (const RecordView& record : batch.records) {
      if (!record.key) continue;
      const std::string name(*record.key);
      if (!record.value) {
        instances_.erase(name);
        continue;
      }
      Instance& instance = instances_[name];
      const char* const end = record.value->data() + record.value->size();
      const auto [rest, fault] = std::from_chars(record.value->data(), end, instance.workers);
      instance.server = rest == end ? "" : std::string(rest + 1, end);
      instance.known_since = Clock::now();
    }
  }
  // Who was away for long may find that the others took it for gone.
  if (announced_ && !instances_.contains(setup_.instance) &&
      Clock::now() - *announced_ > kAnnounceAgain) {
    announce();
  }
}

void StreamsMetadataState::look_at_group() {
  const auto members = setup_.log->members(setup_.application_id);
  group_is_known_ = members.has_value();
  if (!members) return;
  present_.clear();
  const std::lock_guard lock(mutex_);
  owners_.clear();
  for (const GroupMember& member : *members) {
    const std::string name = instance_of(member.client_id);
    present_.insert(name);
    if (const auto known = instances_.find(name); known != instances_.end()) {
      known->second.seen = true;
    }
    for (const TopicPartition& partition : member.partitions) {
      if (const auto* plan = setup_.plan->by_tasks_topic(partition.topic)) {
        owners_[{plan->id, partition.partition}] = name;
      }
    }
  }
  if (setup_.standby_replicas > 0) place_standbys();
}

void StreamsMetadataState::end_transactions_of_the_dead() {
  if (!group_is_known_) return;
  std::map<std::string, Instance> dead;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, instance] : instances_) {
      const bool joins = !instance.seen && Clock::now() - instance.known_since < kJoining;
      if (name != setup_.instance && !present_.contains(name) && !joins) dead[name] = instance;
    }
  }
  for (const auto& [name, instance] : dead) {
    spdlog::info("{}: instance {} has left the group without a word; ending what it left open",
                 setup_.application_id, name);
    if (setup_.transactional && !end_transactions(name, instance.workers)) continue;
    withdraw(name);
    const std::lock_guard lock(mutex_);
    instances_.erase(name);
  }
}

// False when it has to be tried again. Being fenced is as good: somebody else has ended them.
bool StreamsMetadataState::end_transactions(const std::string& instance, std::int32_t workers) {
  std::vector<std::unique_ptr<LogProducer>> producers;
  for (std::int32_t i = 0; i < workers; ++i) {
    producers.push_back(setup_.log->producer(
        {.transactional_id = transactional_id(setup_.application_id, instance, i),
         .client_id = "ending",
         .transaction_timeout = setup_.transaction_timeout}));
    producers.back()->init();
  }
  const auto deadline = Clock::now() + kEndingLongest;
  std::size_t left = producers.size();
  std::unique_lock lock(mutex_);
  while (left > 0 && !stopping_ && Clock::now() < deadline) {
    lock.unlock();
    for (auto& producer : producers) {
      ProducerEvent event;
      if (!producer || !producer->poll(event)) continue;
      if (event.kind == ProducerEvent::Kind::kFailed) return false;
      producer.reset();
      --left;
    }
    lock.lock();
    if (left > 0) changed_.wait_for(lock, kGlance);
  }
  return left == 0;
}

}  // namespace thalweg::internal
