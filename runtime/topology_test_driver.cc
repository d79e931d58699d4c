#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/topology_test_driver.h>
#include <thalweg/schemas/java_hash.h>

#include "stream_task.h"

namespace thalweg {

namespace {

using internal::PlannedSubTopology;
using internal::StreamTask;

// Keeps what the task sends, topic by topic; every topic has one partition.
class CapturingCollector final : public RecordCollector {
 public:
  TopicHandle topic(std::string_view name) override {
    const auto found = std::ranges::find(names_, name);
    if (found != names_.end()) return static_cast<TopicHandle>(found - names_.begin());
    names_.emplace_back(name);
    return static_cast<TopicHandle>(names_.size() - 1);
  }
  std::int32_t partitions(TopicHandle) override { return 1; }
  void send(TopicHandle topic, std::int32_t, std::optional<BytesView> key,
            std::optional<BytesView> value, Timestamp timestamp, const Headers& headers) override {
    TopologyTestDriver::Produced record{
        .key = {}, .value = {}, .timestamp = timestamp, .headers = headers, .sequence = 0};
    if (key) record.key.emplace(*key);
    if (value) record.value.emplace(*value);
    fresh_.emplace_back(topic, std::move(record));
  }

  std::vector<std::pair<TopicHandle, TopologyTestDriver::Produced>> take() {
    return std::exchange(fresh_, {});
  }
  const std::string& name(TopicHandle topic) const { return names_[topic]; }

 private:
  std::vector<std::string> names_;
  std::vector<std::pair<TopicHandle, TopologyTestDriver::Produced>> fresh_;
};

/// The order in which Java's hash table walks these topics' first partitions. Kafka Streams shows
/// it with max.task.idle.ms: the wait for an empty topic begins when those before it need none.
void sort_as_java(std::vector<std::string>& topics) {
  const std::size_t capacity = internal::java_hash_capacity(topics.size());
  std::ranges::stable_sort(topics, {}, [capacity](const std::string& topic) {
    return internal::java_hash_place(31 * 31 + internal::java_hash(topic), capacity);
  });
}

// All sub-topologies as one, on topics of one partition.
PlannedSubTopology plan_as_one(const Topology& topology, const std::string& application_id) {
  PlannedSubTopology plan{.id = 0, .tasks = 1};
  for (const auto& sub : topology.subtopologies()) {
    for (const auto& topic : sub.source_topics) plan.inputs.push_back(topic);
    // All topics of a pattern share one queue.
    for (const auto& pattern : sub.source_patterns) plan.inputs.push_back(pattern);
    for (const auto& topic : sub.repartition_sources) {
      plan.inputs.push_back(application_id + "-" + topic);
    }
    for (const auto& name : sub.stores) {
      PlannedSubTopology::Store store{.name = name, .changelog = {}};
      if (const auto changelog = topology.changelog(name)) {
        store.internal = changelog->internal;
        store.changelog =
            changelog->internal ? application_id + "-" + changelog->topic : changelog->topic;
      }
      plan.stores.push_back(std::move(store));
    }
  }
  sort_as_java(plan.inputs);
  return plan;
}

StreamsConfig named(StreamsConfig config) {
  if (config.application_id.empty()) config.application_id = "topology-test-driver";
  if (config.client_id.empty()) config.client_id = config.application_id;
  return config;
}

}  // namespace

namespace {

std::vector<internal::PlannedGlobalStore> plan_globals(const Topology& topology) {
  std::vector<internal::PlannedGlobalStore> plan;
  for (const auto& global : topology.global_stores()) {
    plan.push_back(
        {.subtopology = global.subtopology, .store = global.store, .topic = global.topic});
  }
  return plan;
}

// Records of global topics that cannot be read are skipped, whatever the handler says.
StreamsConfig lenient(StreamsConfig config) {
  config.deserialization_handler = FailureHandling::kContinue;
  config.deserialization_exception_handler = nullptr;
  return config;
}

}  // namespace

class TopologyTestDriver::Impl {
 public:
  Impl(Topology topology, StreamsConfig config, Timestamp wall_clock)
      : topology_(std::move(topology)),
        config_(named(std::move(config))),
        clock_(wall_clock),
        plan_(plan_as_one(topology_, config_.application_id)),
        global_config_(lenient(config_)),
        global_plan_(plan_globals(topology_)),
        globals_({.topology = &topology_,
                  .plan = &global_plan_,
                  .config = &global_config_,
                  .environment = {.clock = &clock_, .budget = &budget_}}),
        task_({.id = {0, 0},
               .topology = &topology_,
               .subtopology = -1,
               .plan = &plan_,
               .config = &config_,
               .environment = {.clock = &clock_, .budget = &budget_},
               .collector = &collector_,
               .emit_interval = std::chrono::milliseconds(0),
               .globals = &globals_}) {
    if (auto opened = globals_.open(); !opened) throw StreamsError(opened.error().message);
    if (auto opened = task_.open_stores(); !opened) throw StreamsError(opened.error().message);
    std::map<TopicPartition, OffsetAndMetadata> from_the_beginning;
    for (const auto& input : task_.inputs()) from_the_beginning[input] = {0, {}};
    task_.start(from_the_beginning);
    for (std::size_t i = 0; i < task_.inputs().size(); ++i) task_.enqueue(i, {});  // All empty.
    commit();
  }

  ~Impl() { close(); }

  void close() {
    if (!std::exchange(closed_, true)) task_.suspend();
  }

  void pipe(const std::string& topic, Produced record) {
    check_open();
    if (record.timestamp < from_millis(0)) {
      throw std::invalid_argument(
          "Invalid timestamp: " + std::to_string(to_millis(record.timestamp)) +
          ". Timestamp should always be non-negative or null.");
    }
    check_names_as_patterns(topic);
    const auto input = input_of(topic);
    const auto global = global_of(topic);
    if (!input && !global) throw std::invalid_argument("Unknown topic: " + topic);
    if (input) {
      enqueue(*input, topic, std::move(record));
      complete_all_processable_work();
    } else {
      apply(*global, record);
    }
  }

  void advance_wall_clock_time(std::chrono::milliseconds by) {
    check_open();
    clock_.advance(by);
    task_.punctuate_wall_clock(clock_.wall_clock());
    commit();
    complete_all_processable_work();
  }

  void take_async_answers() {
    check_open();
    complete_all_processable_work();
  }

  StreamTask& task() { return task_; }
  Timestamp wall_clock_time() { return clock_.wall_clock(); }
  internal::GlobalState& globals() { return globals_; }
  std::uint64_t global_records() const {
    std::uint64_t records = 0;
    for (const auto& [global, next] : next_global_offset_) {
      records += static_cast<std::uint64_t>(next);
    }
    return records;
  }
  std::map<std::string, std::deque<Produced>>& produced() { return produced_; }

 private:
  void check_open() const {
    if (closed_) throw std::logic_error("the test driver is closed");
  }

  std::optional<std::size_t> input_of(const std::string& topic) const {
    auto found = std::ranges::find(task_.inputs(), topic, &TopicPartition::topic);
    if (found == task_.inputs().end()) {
      found = std::ranges::find_if(task_.inputs(), [&](const TopicPartition& input) {
        return matches_pattern(input.topic, topic);
      });
    }
    if (found == task_.inputs().end()) return std::nullopt;
    return static_cast<std::size_t>(found - task_.inputs().begin());
  }

  /// Kafka Streams' driver takes every name for a pattern, and refuses one that matches another.
  void check_names_as_patterns(const std::string& topic) const {
    for (const auto& subtopology : topology_.subtopologies()) {
      for (const auto& name : subtopology.source_topics) {
        if (name == topic || !matches_pattern(name, topic)) continue;
        throw TopologyError("Topology add source of type String for topic: " + name +
                            " cannot contain regex pattern for input record topic: " + topic +
                            " and hence cannot process the message.");
      }
    }
  }

  std::optional<std::size_t> global_of(const std::string& topic) const {
    const auto found = std::ranges::find(global_plan_, topic, &internal::PlannedGlobalStore::topic);
    if (found == global_plan_.end()) return std::nullopt;
    return static_cast<std::size_t>(found - global_plan_.begin());
  }

  void apply(std::size_t global, const Produced& record) {
    std::string headers;
    record.headers.encode(headers);
    globals_.apply(global, 0,
                   {.offset = next_global_offset_[global]++,
                    .timestamp = record.timestamp,
                    .key = record.key,
                    .value = record.value,
                    .headers = headers});
    globals_.commit(++commits_);
  }

  void enqueue(std::size_t input, const std::string& topic, Produced record) {
    struct Memory {
      Produced record;
      std::string headers;
    };
    auto memory = std::make_shared<Memory>(Memory{std::move(record), {}});
    memory->record.headers.encode(memory->headers);
    const Offset offset = next_offset_[input]++;
    RecordBatch batch{.next = offset + 1, .end = offset + 1, .memory = memory};
    batch.records.push_back({.offset = offset,
                             .timestamp = memory->record.timestamp,
                             .key = memory->record.key,
                             .value = memory->record.value,
                             .headers = memory->headers});
    task_.enqueue(input, std::move(batch), *topics_.insert(topic).first);
  }

  void complete_all_processable_work() {
    capture();  // Dead letters of records that could not be read.
    while (task_.process(1, clock_.wall_clock()) > 0 ||
           task_.run_async_calls(clock_.wall_clock())) {
      commit();
    }
  }

  void commit() {
    task_.flush();
    ++commits_;
    std::vector<Offset> ends;
    for (const auto& store : task_.stores()) {
      ends.push_back(store.changelog.topic.empty() ? kNoOffset : static_cast<Offset>(commits_));
    }
    task_.committed(ends, commits_);
    capture();
  }

  /// Takes what was sent; what the topology reads itself comes back to it.
  void capture() {
    for (auto& [topic, record] : collector_.take()) {
      const std::string& name = collector_.name(topic);
      record.sequence = ++produced_count_;
      if (const auto input = input_of(name)) enqueue(*input, name, record);
      if (const auto global = global_of(name)) apply(*global, record);
      produced_[name].push_back(std::move(record));
    }
  }

  Topology topology_;
  StreamsConfig config_;
  ManualClock clock_;
  MemoryBudget budget_{1u << 30};
  CapturingCollector collector_;
  PlannedSubTopology plan_;
  StreamsConfig global_config_;
  std::vector<internal::PlannedGlobalStore> global_plan_;
  internal::GlobalState globals_;
  std::set<std::string> topics_;  // Of all records, for names that last.
  StreamTask task_;
  std::map<std::size_t, Offset> next_offset_;
  std::map<std::size_t, Offset> next_global_offset_;
  CommitSequence commits_ = 0;
  std::uint64_t produced_count_ = 0;
  bool closed_ = false;
  std::map<std::string, std::deque<Produced>> produced_;
};

TopologyTestDriver::TopologyTestDriver(Topology topology, StreamsConfig config,
                                       Timestamp wall_clock)
    : impl_(std::make_unique<Impl>(std::move(topology), std::move(config), wall_clock)) {}

TopologyTestDriver::~TopologyTestDriver() = default;

void TopologyTestDriver::pipe(const std::string& topic, std::optional<std::string> key,
                              std::optional<std::string> value, Timestamp timestamp,
                              const Headers& headers) {
  impl_->pipe(topic, {std::move(key), std::move(value), timestamp, headers, 0});
}

void TopologyTestDriver::advance_wall_clock_time(std::chrono::milliseconds by) {
  impl_->advance_wall_clock_time(by);
}

void TopologyTestDriver::take_async_answers() { impl_->take_async_answers(); }

StateStore& TopologyTestDriver::store(const std::string& name) {
  for (auto& store : impl_->task().stores()) {
    if (store.name == name) return *store.store;
  }
  if (StateStore* global = impl_->globals().find(name)) return *global;
  throw std::invalid_argument("there is no store " + name);
}

std::deque<TopologyTestDriver::Produced>* TopologyTestDriver::produced(const std::string& topic) {
  const auto found = impl_->produced().find(topic);
  return found == impl_->produced().end() ? nullptr : &found->second;
}

std::map<std::string, StateStore*> TopologyTestDriver::stores() {
  std::map<std::string, StateStore*> stores;
  for (auto& store : impl_->task().stores()) stores[store.name] = store.store.get();
  return stores;
}

Timestamp TopologyTestDriver::wall_clock_time() const { return impl_->wall_clock_time(); }

void TopologyTestDriver::close() { impl_->close(); }

std::set<std::string> TopologyTestDriver::produced_topic_names() const {
  std::set<std::string> topics;
  for (const auto& [topic, records] : impl_->produced()) topics.insert(topic);
  return topics;
}

std::map<std::string, std::uint64_t> TopologyTestDriver::metrics() const {
  const StreamTask& task = impl_->task();
  std::map<std::string, std::uint64_t> metrics = {
      {"dropped-records-total", task.dropped_records() + impl_->globals().dropped_records()},
      {"process-total", task.processed() + impl_->global_records()},
      {"punctuate-total", task.punctuated()}};
  for (const auto& [what, counter] : task.node_metrics()) {
    const auto& [metric, node] = what;
    metrics[metric + "-total/" + node] = counter->value();
  }
  return metrics;
}

}  // namespace thalweg
