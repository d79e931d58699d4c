#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/runtime/streams_config.h>
#include <thalweg/schemas/record.h>
#include <thalweg/schemas/serde.h>
#include <thalweg/state/key_value_store.h>
#include <thalweg/state/session_store.h>
#include <thalweg/state/versioned_key_value_store.h>
#include <thalweg/state/window_store.h>
#include <thalweg/topology/topology.h>

namespace thalweg {

/// A record as tests pipe and read it; null keys and values are absent.
template <typename K, typename V>
struct TestRecord {
  std::optional<K> key;
  std::optional<V> value;
  Timestamp timestamp = kNoTimestamp;
  Headers headers = {};

  friend bool operator==(const TestRecord&, const TestRecord&) = default;
};

class TopologyTestDriver;

/// Pipes records into one source topic. Lives no longer than its driver.
template <typename K, typename V>
class TestInputTopic {
 public:
  /// At the topic's own time, which then advances by `auto_advance`.
  void pipe(const K& key, const V& value) { pipe(key, value, next_time()); }
  void pipe(const K& key, const V& value, Timestamp timestamp) {
    pipe_at(TestRecord<K, V>{key, value}, timestamp);
  }
  /// Without a timestamp (kNoTimestamp): at the topic's own time, as above.
  void pipe(const TestRecord<K, V>& record) {
    pipe_at(record, record.timestamp == kNoTimestamp ? next_time() : record.timestamp);
  }
  void pipe_null(const K& key, Timestamp timestamp) {
    pipe_at(TestRecord<K, V>{key, {}}, timestamp);
  }
  /// Without a key.
  void pipe_value(const V& value) { pipe_value(value, next_time()); }
  void pipe_value(const V& value, Timestamp timestamp) {
    pipe_at(TestRecord<K, V>{{}, value}, timestamp);
  }
  void pipe_records(const std::vector<TestRecord<K, V>>& records) {
    for (const auto& record : records) pipe(record);
  }
  /// The first at `start`, each of the others `advance` later, whatever times they have.
  void pipe_records(const std::vector<TestRecord<K, V>>& records, Timestamp start,
                    std::chrono::milliseconds advance) {
    for (const auto& record : records) pipe_at(record, std::exchange(start, start + advance));
  }
  /// Each at the topic's own time.
  void pipe_key_values(const std::vector<std::pair<K, V>>& pairs) {
    for (const auto& [key, value] : pairs) pipe(key, value);
  }
  /// The first at `start`, each of the others `advance` later.
  void pipe_key_values(const std::vector<std::pair<K, V>>& pairs, Timestamp start,
                       std::chrono::milliseconds advance) {
    for (const auto& [key, value] : pairs) pipe(key, value, std::exchange(start, start + advance));
  }
  void pipe_values(const std::vector<V>& values) {
    for (const V& value : values) pipe_value(value);
  }
  void pipe_values(const std::vector<V>& values, Timestamp start,
                   std::chrono::milliseconds advance) {
    for (const V& value : values) pipe_value(value, std::exchange(start, start + advance));
  }
  void advance_time(std::chrono::milliseconds by) { time_ += by; }

 private:
  friend class TopologyTestDriver;
  TestInputTopic(TopologyTestDriver& driver, std::string topic, AnySerde<K> key_serde,
                 AnySerde<V> value_serde, Timestamp start, std::chrono::milliseconds auto_advance)
      : driver_(&driver),
        topic_(std::move(topic)),
        key_serde_(std::move(key_serde)),
        value_serde_(std::move(value_serde)),
        time_(start),
        advance_(auto_advance) {}

  Timestamp next_time() { return std::exchange(time_, time_ + advance_); }
  void pipe_at(const TestRecord<K, V>& record, Timestamp timestamp);

  TopologyTestDriver* driver_;
  std::string topic_;
  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
  Timestamp time_;
  std::chrono::milliseconds advance_;
};

/// Reads what the topology wrote to one topic, in order. Lives no longer than its driver.
template <typename K, typename V>
class TestOutputTopic {
 public:
  bool is_empty() const;
  std::size_t size() const;
  /// The next record. Throws std::out_of_range when there is none: `Uninitialized topic: X` if
  /// nothing was ever written, `Empty topic: X` if all is read.
  TestRecord<K, V> read_record();
  std::optional<V> read_value() { return read_record().value; }
  std::pair<K, V> read_key_value();
  std::vector<TestRecord<K, V>> read_records();
  /// All keys and values that are left; throws std::bad_optional_access at a null.
  std::vector<std::pair<K, V>> read_key_values();
  /// The last value of each key that is left; null for a key whose last value is null.
  std::map<K, std::optional<V>> read_key_value_map();
  /// All values that are left.
  std::vector<std::optional<V>> read_values();

 private:
  friend class TopologyTestDriver;
  TestOutputTopic(TopologyTestDriver& driver, std::string topic, AnySerde<K> key_serde,
                  AnySerde<V> value_serde)
      : driver_(&driver),
        topic_(std::move(topic)),
        key_serde_(std::move(key_serde)),
        value_serde_(std::move(value_serde)) {}

  TopologyTestDriver* driver_;
  std::string topic_;
  AnySerde<K> key_serde_;
  AnySerde<V> value_serde_;
};

/// Runs a topology record by record, without a log, threads or waiting: the real task and stores,
/// with captured output and clocks that only the test moves.
///
/// As in Kafka Streams: one task `0_0` runs all sub-topologies, every topic has one partition, and
/// a commit follows each record, which flushes caches; output for a topic that the topology reads
/// is piped back in. User code's exceptions surface as StreamsError.
class TopologyTestDriver {
 public:
  /// A record that the topology wrote, as bytes.
  struct Produced {
    std::optional<std::string> key;
    std::optional<std::string> value;
    Timestamp timestamp = kNoTimestamp;
    Headers headers;
    std::uint64_t sequence = 0;  ///< Its place among all records written, to any topic.
  };

  explicit TopologyTestDriver(Topology topology, StreamsConfig config = {},
                              Timestamp wall_clock = from_millis(0));
  ~TopologyTestDriver();
  TopologyTestDriver(const TopologyTestDriver&) = delete;
  TopologyTestDriver& operator=(const TopologyTestDriver&) = delete;

  template <typename K, typename V>
  TestInputTopic<K, V> create_input_topic(
      std::string topic, AnySerde<K> key_serde = {}, AnySerde<V> value_serde = {},
      Timestamp start = from_millis(0),
      std::chrono::milliseconds auto_advance = std::chrono::milliseconds(0)) {
    return {*this, std::move(topic), std::move(key_serde), std::move(value_serde),
            start, auto_advance};
  }
  template <typename K, typename V>
  TestOutputTopic<K, V> create_output_topic(std::string topic, AnySerde<K> key_serde = {},
                                            AnySerde<V> value_serde = {}) {
    return {*this, std::move(topic), std::move(key_serde), std::move(value_serde)};
  }

  /// Throws std::invalid_argument for a topic the topology does not read, or a negative timestamp.
  void pipe(const std::string& topic, std::optional<std::string> key,
            std::optional<std::string> value, Timestamp timestamp, const Headers& headers = {});
  /// Moves the wall clock, fires what is due once, commits.
  void advance_wall_clock_time(std::chrono::milliseconds by);
  /// Processes the answers that calls of map_async() have been given since, and commits. Calls are
  /// made in pipe(), advance_wall_clock_time() and here, in this thread, after the commit that says
  /// so; an answer given within the call is processed at once.
  void take_async_answers();

  /// The store of that name. Throws std::invalid_argument when there is none of that kind and those
  /// types.
  template <typename K, typename V>
  KeyValueStore<K, V>& key_value_store(const std::string& name) {
    return store_as<KeyValueStore<K, V>>(name);
  }
  template <typename K, typename V>
  WindowStore<K, V>& window_store(const std::string& name) {
    return store_as<WindowStore<K, V>>(name);
  }
  template <typename K, typename V>
  SessionStore<K, V>& session_store(const std::string& name) {
    return store_as<SessionStore<K, V>>(name);
  }
  template <typename K, typename V>
  VersionedKeyValueStore<K, V>& versioned_key_value_store(const std::string& name) {
    return store_as<VersionedKeyValueStore<K, V>>(name);
  }
  StateStore& store(const std::string& name);
  /// Every store, by name. Tables that nothing keeps have none.
  std::map<std::string, StateStore*> stores();

  /// What was written to `topic` and not read yet; null if nothing ever was.
  std::deque<Produced>* produced(const std::string& topic);
  /// Every topic written to so far, internal ones included.
  std::set<std::string> produced_topic_names() const;
  /// Counts so far, under Kafka Streams' names: `dropped-records-total` (late, null or unreadable),
  /// `process-total`, `punctuate-total`; and those of single nodes, where not 0:
  /// `suppression-emit-total/<node>`, `window-aggregate-final-emit-total/<node>`, and what
  /// processors count with TaskContext::count().
  std::map<std::string, std::uint64_t> metrics() const;
  Timestamp wall_clock_time() const;
  /// Closes processors; what was produced can still be read. The destructor does it, too. Piping
  /// and moving the clock throw std::logic_error afterwards.
  void close();

 private:
  template <typename Store>
  Store& store_as(const std::string& name) {
    auto* typed = dynamic_cast<Store*>(&store(name));
    if (typed) return *typed;
    throw std::invalid_argument("store " + name +
                                " has other key or value types, or is of another kind");
  }

  class Impl;
  std::unique_ptr<Impl> impl_;
};

// --- Implementation of the templates --------------------------------------------------------

template <typename K, typename V>
void TestInputTopic<K, V>::pipe_at(const TestRecord<K, V>& record, Timestamp timestamp) {
  std::optional<std::string> key;
  std::optional<std::string> value;
  if (record.key) key_serde_.serialize(*record.key, key.emplace());
  if (record.value) value_serde_.serialize(*record.value, value.emplace());
  driver_->pipe(topic_, std::move(key), std::move(value), timestamp, record.headers);
}

template <typename K, typename V>
bool TestOutputTopic<K, V>::is_empty() const {
  return size() == 0;
}

template <typename K, typename V>
std::size_t TestOutputTopic<K, V>::size() const {
  const auto* records = driver_->produced(topic_);
  return records ? records->size() : 0;
}

template <typename K, typename V>
TestRecord<K, V> TestOutputTopic<K, V>::read_record() {
  auto* records = driver_->produced(topic_);
  if (!records) throw std::out_of_range("Uninitialized topic: " + topic_);
  if (records->empty()) throw std::out_of_range("Empty topic: " + topic_);
  const TopologyTestDriver::Produced produced = std::move(records->front());
  records->pop_front();
  TestRecord<K, V> record{
      .key = {}, .value = {}, .timestamp = produced.timestamp, .headers = produced.headers};
  if (produced.key) key_serde_.deserialize(*produced.key, record.key.emplace());
  if (produced.value) value_serde_.deserialize(*produced.value, record.value.emplace());
  return record;
}

template <typename K, typename V>
std::pair<K, V> TestOutputTopic<K, V>::read_key_value() {
  auto record = read_record();
  return {std::move(record.key).value(), std::move(record.value).value()};
}

template <typename K, typename V>
std::vector<TestRecord<K, V>> TestOutputTopic<K, V>::read_records() {
  std::vector<TestRecord<K, V>> records;
  while (!is_empty()) records.push_back(read_record());
  return records;
}

template <typename K, typename V>
std::map<K, std::optional<V>> TestOutputTopic<K, V>::read_key_value_map() {
  std::map<K, std::optional<V>> latest;
  while (!is_empty()) {
    auto record = read_record();
    latest.insert_or_assign(std::move(record.key).value(), std::move(record.value));
  }
  return latest;
}

template <typename K, typename V>
std::vector<std::optional<V>> TestOutputTopic<K, V>::read_values() {
  std::vector<std::optional<V>> values;
  while (!is_empty()) values.push_back(read_record().value);
  return values;
}

template <typename K, typename V>
std::vector<std::pair<K, V>> TestOutputTopic<K, V>::read_key_values() {
  std::vector<std::pair<K, V>> pairs;
  while (!is_empty()) pairs.push_back(read_key_value());
  return pairs;
}

}  // namespace thalweg
