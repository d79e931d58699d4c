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
  void pipe(const K& key, const V& value) {
    pipe(key, value, std::exchange(time_, time_ + advance_));
  }
  void pipe(const K& key, const V& value, Timestamp timestamp) {
    pipe(TestRecord<K, V>{key, value, timestamp});
  }
  void pipe(const TestRecord<K, V>& record);
  void pipe_null(const K& key, Timestamp timestamp) { pipe(TestRecord<K, V>{key, {}, timestamp}); }
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
    return {*this, std::move(topic), std::move(key_serde), std::move(value_serde), start,
            auto_advance};
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

  /// The store of that name. Throws std::invalid_argument when there is none of those types.
  template <typename K, typename V>
  KeyValueStore<K, V>& key_value_store(const std::string& name) {
    auto* typed = dynamic_cast<KeyValueStore<K, V>*>(&store(name));
    if (!typed) throw std::invalid_argument("store " + name + " has other key or value types");
    return *typed;
  }
  StateStore& store(const std::string& name);

  /// What was written to `topic` and not read yet; null if nothing ever was.
  std::deque<Produced>* produced(const std::string& topic);
  /// Every topic written to so far, internal ones included.
  std::set<std::string> produced_topics() const;
  /// Counts so far, under Kafka Streams' names: `dropped-records-total` (late, null or unreadable),
  /// `process-total`, `punctuate-total`; and those of single nodes, where not 0:
  /// `suppression-emit-total/<node>`, `window-aggregate-final-emit-total/<node>`.
  std::map<std::string, std::uint64_t> metrics() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// --- Implementation of the templates --------------------------------------------------------

template <typename K, typename V>
void TestInputTopic<K, V>::pipe(const TestRecord<K, V>& record) {
  std::optional<std::string> key;
  std::optional<std::string> value;
  if (record.key) key_serde_.serialize(*record.key, key.emplace());
  if (record.value) value_serde_.serialize(*record.value, value.emplace());
  driver_->pipe(topic_, std::move(key), std::move(value), record.timestamp, record.headers);
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
  TestRecord<K, V> record{.key = {}, .value = {}, .timestamp = produced.timestamp,
                          .headers = produced.headers};
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
std::vector<std::pair<K, V>> TestOutputTopic<K, V>::read_key_values() {
  std::vector<std::pair<K, V>> pairs;
  while (!is_empty()) pairs.push_back(read_key_value());
  return pairs;
}

}  // namespace thalweg
