#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <thalweg/schemas/serde.h>
#include <thalweg/topology/topology.h>

namespace thalweg::testing {

/// One record as a topic of the test's world holds it, in types.
template <typename K, typename V>
struct Out {
  std::optional<K> key;
  std::optional<V> value;
  std::int64_t time = 0;

  friend bool operator==(const Out&, const Out&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Out& record) {
    const auto show = [&out](const auto& part) {
      if (part) {
        out << *part;
      } else {
        out << "null";
      }
    };
    show(record.key);
    out << ": ";
    show(record.value);
    return out << " @" << record.time;
  }
};

/// Runs all nodes of a topology by hand: topics are lists in memory, with as many partitions as the
/// test says, and what is sent to a topic that the topology reads comes back at once. A commit
/// (flush) follows each record, as in Kafka Streams' test driver, unless the test commits itself.
class TopologyWorld final : public TaskContext, public RecordCollector {
 public:
  struct Sent {
    std::optional<std::string> key;
    std::optional<std::string> value;
    Timestamp timestamp;
    Headers headers;
    std::int32_t partition;
  };
  struct Options {
    bool caching = false;
    std::int32_t partitions = 1;
    bool skip_failed = false;  ///< The processing exception handler.
    bool commits = true;       ///< After each record.
    std::chrono::milliseconds emit_interval{0};
  };

  explicit TopologyWorld(Topology topology) : TopologyWorld(std::move(topology), Options{}) {}
  TopologyWorld(Topology topology, Options options)
      : topology_(std::move(topology)), options_(options) {
    for (const SubTopology& subtopology : topology_.subtopologies()) {
      for (const std::string& name : subtopology.stores) {
        auto& store = stores_.emplace_back(topology_.store_builder(name).build());
        StoreContext context;
        context.caching = options_.caching;
        context.record_time = [this] { return time_; };
        context.record = &metadata_;
        if (!store->open(context)) {
          throw std::runtime_error("store " + name + " does not open");
        }
      }
    }
    graph_ = topology_.instantiate(-1, *this);
    for (const auto& source : graph_.sources) {
      inputs_[source.topic] = source.node->open_input(*this);
    }
    for (const auto& node : graph_.nodes) node->init(*this);
  }
  ~TopologyWorld() override {
    for (const auto& node : graph_.nodes) node->close();
  }

  // --- What a test does ---------------------------------------------------------------------

  template <typename K, typename V>
  void pipe(const std::string& topic, const std::optional<K>& key, const std::optional<V>& value,
            std::int64_t time, const Headers& headers = {}) {
    deliver(topic, {.key = bytes(key),
                    .value = bytes(value),
                    .timestamp = from_millis(time),
                    .headers = headers,
                    .partition = 0});
    if (options_.commits) commit();
    while (!returning_.empty()) {
      auto [next_topic, record] = std::move(returning_.front());
      returning_.pop_front();
      deliver(next_topic, record);
      if (options_.commits) commit();
    }
  }

  void commit() {
    for (const auto& store : stores_) store->flush();
  }
  /// What came since the last commit is undone.
  void abort() {
    for (const auto& store : stores_) store->abort();
  }

  /// What was sent to `topic` since the last call.
  template <typename K, typename V>
  std::vector<Out<K, V>> drain(const std::string& topic) {
    std::vector<Out<K, V>> records;
    for (const Sent& record : drain_raw(topic)) {
      records.push_back({value_of<K>(record.key), value_of<V>(record.value),
                         to_millis(record.timestamp)});
    }
    return records;
  }
  std::vector<Sent> drain_raw(const std::string& topic) { return std::exchange(sent_[topic], {}); }
  bool was_sent_to(const std::string& topic) const { return sent_.contains(topic); }

  template <typename K, typename V>
  KeyValueStore<K, V>& key_value_store(const std::string& name) {
    return dynamic_cast<KeyValueStore<K, V>&>(store(name));
  }
  std::size_t drops() const { return drops_.size(); }
  const std::vector<std::string>& dropped_at() const { return drops_; }

  /// Nothing is due by the clock here; operators that ask for it see it.
  void advance_wall_clock(std::chrono::milliseconds by) { wall_clock_ += by; }

  void punctuate(std::int64_t time) {
    time_ = from_millis(time);
    metadata_ = {};
    for (const Punctuator& punctuator : punctuators_) punctuator(time_);
    commit();
  }

  // --- TaskContext --------------------------------------------------------------------------

  std::string_view application_id() const override { return "app"; }
  TaskId task_id() const override { return {0, 0}; }
  StateStore& store(std::string_view name) override {
    for (const auto& store : stores_) {
      if (store->name() == name) return *store;
    }
    throw TopologyError("no store " + std::string(name));
  }
  RecordCollector& collector() override { return *this; }
  std::string topic_name(std::string_view name, bool internal) const override {
    return internal ? "app-" + std::string(name) : std::string(name);
  }
  Timestamp stream_time() const override { return stream_time_; }
  Timestamp wall_clock_time() const override { return wall_clock_; }
  std::chrono::milliseconds emit_interval() const override { return options_.emit_interval; }
  const RecordMetadata& metadata() const override { return metadata_; }
  Cancellable schedule(std::chrono::milliseconds, PunctuationType, std::string_view,
                       Punctuator punctuator) override {
    punctuators_.push_back(std::move(punctuator));
    return {};
  }
  Timestamp exchange_record_time(Timestamp time) override { return std::exchange(time_, time); }
  bool skip_failed(std::string_view node, const std::exception&) override {
    if (options_.skip_failed) drops_.emplace_back(node);
    return options_.skip_failed;
  }
  void request_commit() override {}
  void dropped(std::string_view node, std::string_view) override { drops_.emplace_back(node); }

  // --- RecordCollector ----------------------------------------------------------------------

  TopicHandle topic(std::string_view name) override {
    topics_.emplace_back(name);
    return static_cast<TopicHandle>(topics_.size() - 1);
  }
  std::int32_t partitions(TopicHandle) override { return options_.partitions; }
  void send(TopicHandle topic, std::int32_t partition, std::optional<BytesView> key,
            std::optional<BytesView> value, Timestamp timestamp, const Headers& headers) override {
    Sent record{.key = {}, .value = {}, .timestamp = timestamp, .headers = headers,
                .partition = partition};
    if (key) record.key.emplace(*key);
    if (value) record.value.emplace(*value);
    const std::string& name = topics_.at(topic);
    if (inputs_.contains(name)) returning_.emplace_back(name, record);
    sent_[name].push_back(std::move(record));
  }

 private:
  template <typename T>
  static std::optional<std::string> bytes(const std::optional<T>& value) {
    if (!value) return std::nullopt;
    std::string out;
    Serde<T>::serialize(*value, out);
    return out;
  }
  template <typename T>
  static std::optional<T> value_of(const std::optional<std::string>& payload) {
    if (!payload) return std::nullopt;
    T out{};
    Serde<T>::deserialize(*payload, out);
    return out;
  }

  void deliver(const std::string& topic, const Sent& record) {
    const auto input = inputs_.find(topic);
    if (input == inputs_.end()) throw std::invalid_argument("Unknown topic: " + topic);
    std::string headers;
    if (!record.headers.empty()) record.headers.encode(headers);
    const RecordView view{.offset = next_offset_++,
                          .timestamp = record.timestamp,
                          .key = record.key,
                          .value = record.value,
                          .headers = headers};
    metadata_ = {.topic = input->first, .partition = 0, .offset = view.offset};
    if (!input->second->prepare(view, metadata_, stream_time_)) return;
    time_ = input->second->timestamp();
    stream_time_ = std::max(stream_time_, time_);
    input->second->process();
  }

  Topology topology_;
  Options options_;
  std::vector<std::unique_ptr<StateStore>> stores_;
  internal::ProcessorGraph graph_;
  std::map<std::string, std::unique_ptr<internal::SourceInput>> inputs_;
  std::vector<std::string> topics_;
  std::map<std::string, std::vector<Sent>> sent_;
  std::deque<std::pair<std::string, Sent>> returning_;
  std::vector<std::string> drops_;
  std::vector<Punctuator> punctuators_;
  Timestamp time_ = kNoTimestamp;
  Timestamp stream_time_ = kNoTimestamp;
  Timestamp wall_clock_ = from_millis(0);
  RecordMetadata metadata_;
  Offset next_offset_ = 0;
};

}  // namespace thalweg::testing
