#include "kafka/spec_story.h"

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <signal.h>
#include <thread>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <thalweg/runtime/async_producer.h>
#include <thalweg/schemas/serde.h>

namespace thalweg::testing {

namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

constexpr auto kGlance = 20ms;
constexpr auto kQuiet = 300ms;  // Several commits long.
constexpr auto kPatience = 60s;

/// What is added to a spec's times: brokers delete windows that are older than they are kept.
std::int64_t beginning() {
  static const std::int64_t millis = [] {
    constexpr std::int64_t kHour = 3'600'000;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count() / kHour * kHour;
  }();
  return millis;
}

const json::value* field(const json::value& of, std::string_view name) {
  const json::value* found = of.as_object().if_contains(name);
  return found && !found->is_null() ? found : nullptr;
}

std::string text(const json::value& of, std::string_view name) {
  const json::value* found = field(of, name);
  return found ? std::string(found->as_string()) : std::string();
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

/// Windowed keys are bytes, others text.
std::string shown(std::string_view bytes) {
  const bool is_text = std::ranges::all_of(bytes, [](char c) { return c >= ' ' && c <= '~'; });
  return is_text ? std::string(bytes) : hex(bytes);
}

std::string shown(const RecordView& record) {
  std::string out = "null";
  if (record.value) {
    std::int64_t value = 0;
    Serde<std::int64_t>::deserialize(*record.value, value);
    out = std::to_string(value);
  }
  out += " @" + std::to_string(to_millis(record.timestamp) - beginning());
  if (!record.headers.empty()) out += " headers " + hex(record.headers);
  return out;
}

/// The topics that statements name, as sources and as sinks.
std::set<std::string> topics_of(const json::value& spec) {
  std::set<std::string> topics;
  for (const json::value& statement : spec.at("nodes").as_array()) {
    if (const json::value* several = field(statement, "topics")) {
      for (const auto& topic : several->as_array()) topics.emplace(topic.as_string());
    }
    if (field(statement, "topic")) topics.insert(text(statement, "topic"));
    if (!field(statement, "topicPrefix")) continue;
    for (std::int64_t i = 0; i < statement.at("m").as_int64(); ++i) {
      topics.insert(text(statement, "topicPrefix") + std::to_string(i));
    }
  }
  return topics;
}

Headers headers_of(const json::value& step) {
  Headers headers;
  const json::value* pairs = field(step, "headers");
  if (!pairs) return headers;
  for (const auto& pair : pairs->as_array()) {
    const auto& parts = pair.as_array();
    std::optional<std::string> value;
    if (!parts.at(1).is_null()) value = std::string(parts.at(1).as_string());
    headers.add(std::string(parts.at(0).as_string()), std::move(value));
  }
  return headers;
}

/// Kafka Streams' half of the program, compiled once.
const std::string& java_classes() {
  static const TemporaryDirectory directory;
  static const std::string path = [] {
    std::vector<std::string> command = {
        "javac", "-nowarn", "-Xlint:none", "-cp", kafka_class_path(), "-d", directory.path()};
    for (const auto& file : std::filesystem::directory_iterator(THALWEG_JAVA_SPEC_APP)) {
      command.push_back(file.path());
    }
    const auto compiled = run_program(command);
    if (compiled.exit_code != 0) throw std::runtime_error(compiled.output);
    return directory.path();
  }();
  return path;
}

std::vector<std::string> command_of(Runner runner) {
  if (runner == Runner::kThalweg) {
    return {THALWEG_SPEC_APP,
            "--set",
            "consumer.session.timeout.ms=2000",
            "--set",
            "consumer.heartbeat.interval.ms=300",
            "--set",
            "commit.interval.ms=50"};
  }
  return {"java",
          "-Xmx192m",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
          "-cp",
          java_classes() + ":" + kafka_class_path(),
          "oracle.Live",
          "--set",
          "consumer.session.timeout.ms=2000",
          "--set",
          "consumer.heartbeat.interval.ms=300",
          "--set",
          "commit.interval.ms=50",
          "--set",
          "replication.factor=1"};
}

}  // namespace

SpecStory::SpecStory(KafkaCluster& cluster, const json::value& spec, const std::string& name,
                     int partitions)
    : cluster_(cluster), spec_(spec), application_id_(name) {
  auto log = open_kafka_log({.bootstrap_servers = cluster.bootstrap_servers()});
  if (!log) throw std::runtime_error(log.error().message);
  log_ = *std::move(log);
  std::ofstream(directory_.path() + "/spec.json") << json::serialize(spec_);
  make_topics(partitions);
}

void SpecStory::make_topics(int partitions) {
  std::set<std::string> names = topics_of(spec_);
  for (const json::value& step : spec_.at("input").as_array()) {
    if (field(step, "topic")) inputs_.insert(text(step, "topic"));
  }
  names.insert(inputs_.begin(), inputs_.end());
  for (const auto& name : names) {
    static_cast<void>(log_->delete_topic(name));  // Of the story before, if any.
    topics_[name] = partitions;
    Status made;
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    do {
      made = log_->create_topic({.name = name, .partitions = partitions});
    } while (!made && std::chrono::steady_clock::now() < deadline);
    if (!made) throw std::runtime_error(made.error().message);
  }
}

void SpecStory::process_until(double part) {
  const auto size = static_cast<double>(spec_.at("input").as_array().size());
  const auto last = static_cast<std::size_t>(size * part);
  while (write_piece(last, *log_)) wait_until_processed();
}

// What is read from several topics at once has no order. So a piece of one topic's records follows
// the other only when that is processed.
bool SpecStory::write_piece(std::size_t last, Log& log) {
  if (next_ == last) return false;
  AsyncProducer producer(log, "story");
  std::string topic;
  for (; next_ < last; ++next_) {
    const json::value& step = spec_.at("input").as_array()[next_];
    if (!field(step, "topic")) continue;  // The wall clock's.
    if (topic.empty()) topic = text(step, "topic");
    if (topic != text(step, "topic")) break;
    std::optional<std::string> key;
    if (field(step, "key")) key = text(step, "key");
    std::optional<std::string> value;
    if (field(step, "value")) {
      Serde<std::int64_t>::serialize(step.at("value").as_int64(), value.emplace());
    }
    producer.send(topic, std::move(key), std::move(value),
                  from_millis(beginning() + step.at("ts").as_int64()), headers_of(step),
                  [](const Result<AsyncProducer::Sent>& sent) {
                    if (!sent) ADD_FAILURE() << sent.error().message;
                  });
  }
  return true;
}

void SpecStory::write(std::size_t steps) {
  const std::size_t last = next_ + steps;
  while (write_piece(last, *log_)) {
  }
}

void SpecStory::write_in_batches_of(int records, std::size_t steps) {
  const auto log =
      open_kafka_log({.bootstrap_servers = cluster_.bootstrap_servers(),
                      .properties = {{"producer.batch.num.messages", std::to_string(records)}}});
  if (!log) throw std::runtime_error(log.error().message);
  const std::size_t last = next_ + steps;
  while (write_piece(last, **log)) {
  }
}

void SpecStory::write_to_new(const std::string& topic, const std::string& key, std::int64_t value) {
  const auto made = log_->create_topic({.name = topic, .partitions = 1});
  if (!made) throw std::runtime_error(made.error().message);
  AsyncProducer producer(*log_, "story");
  std::string bytes;
  Serde<std::int64_t>::serialize(value, bytes);
  producer.send(topic, key, std::move(bytes), from_millis(beginning()), {}, [](const auto&) {});
}

void SpecStory::launch(Runner runner, const std::vector<std::string>& settings) {
  const std::string place = directory_.path() + "/" + std::to_string(starts_++);
  running_ = place + ".out";
  auto command = command_of(runner);
  for (const auto& setting : settings) command.insert(command.end(), {"--set", setting});
  command.insert(command.end(), {"--spec", directory_.path() + "/spec.json", "--bootstrap",
                                 cluster_.bootstrap_servers(), "--application-id", application_id_,
                                 "--state-dir", place + "-state"});
  pid_ = start_program(command, running_);
}

void SpecStory::start(Runner runner, const std::vector<std::string>& settings) {
  launch(runner, settings);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!printed().contains("RUNNING\n")) {
    if (::kill(pid_, 0) != 0 || printed().contains("ERROR") ||
        std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "the application does not run:\n" << printed();
      return;
    }
    std::this_thread::sleep_for(kGlance);
  }
}

std::string SpecStory::printed() const {
  std::ifstream file(running_);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::map<TopicPartition, Offset> SpecStory::ends(const std::vector<TopicSpec>& topics) {
  std::map<TopicPartition, Offset> ends;
  for (const TopicSpec& topic : topics) {
    if (!topics_.contains(topic.name) && !topic.name.starts_with(application_id_)) continue;
    for (std::int32_t i = 0; i < topic.partitions; ++i) {
      const TopicPartition partition{topic.name, i};
      if (const auto range = log_->range(partition)) ends[partition] = range->end;
    }
  }
  return ends;
}

void SpecStory::wait_until_processed() {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  const auto topics = log_->topics().value();
  auto seen = ends(topics);
  auto since = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kGlance);
    const auto committed = log_->committed(application_id_);
    auto now = ends(topics);
    const bool is_read = std::ranges::all_of(committed, [&](const auto& item) {
      // The last record of a repartition topic is the end of a transaction.
      const Offset marker = inputs_.contains(item.first.topic) ? 0 : 1;
      return item.second.offset + marker >= now[item.first];
    });
    if (!is_read || committed.empty() || now != seen) {
      seen = std::move(now);
      since = std::chrono::steady_clock::now();
    } else if (std::chrono::steady_clock::now() - since >= kQuiet) {
      return;
    }
  }
  ADD_FAILURE() << "input is left:\n" << printed();
}

int SpecStory::wait_for_end() { return testing::wait_for_end(std::exchange(pid_, -1)); }

void SpecStory::stop() {
  ::kill(pid_, SIGTERM);
  const int code = wait_for_end();
  // Java's ends of its own accord after its shutdown hook, or by the signal.
  EXPECT_TRUE(code == 0 || code == 143) << code << "\n" << printed();
}

SpecOutput SpecStory::output() {
  auto consumer = log_->consumer({.client_id = "story"});
  std::map<TopicPartition, Offset> left;
  std::vector<TopicPartition> tags;
  for (const auto& [topic, partitions] : topics_) {
    if (inputs_.contains(topic)) continue;
    for (std::int32_t i = 0; i < partitions; ++i) {
      const TopicPartition partition{topic, i};
      const auto range = log_->range(partition);
      if (range && range->end > 0) left[partition] = range->end;
      consumer->assign(partition, 0, static_cast<std::uint32_t>(tags.size()));
      tags.push_back(partition);
    }
  }
  SpecOutput output;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!left.empty() && std::chrono::steady_clock::now() < deadline) {
    std::vector<RecordBatch> batches;
    if (!consumer->fetch(batches, 10'000)) std::this_thread::sleep_for(kGlance);
    for (const RecordBatch& batch : batches) {
      const TopicPartition& partition = tags.at(batch.tag);
      for (const RecordView& record : batch.records) {
        const std::string key = record.key ? shown(*record.key) : "null";
        output[partition.topic][key].push_back(shown(record));
      }
      const auto found = left.find(partition);
      if (found != left.end() && batch.next >= found->second) left.erase(found);
    }
  }
  for (const auto& [partition, end] : left) ADD_FAILURE() << to_string(partition) << " is not read";
  return output;
}

SpecOutput SpecStory::output_with(const std::string& topic, const std::string& key) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    auto found = output();
    if (found[topic].contains(key) || std::chrono::steady_clock::now() > deadline) return found;
  }
}

SpecOutput run_whole(KafkaCluster& cluster, const json::value& spec, const std::string& name,
                     Runner runner, int partitions) {
  SpecStory story(cluster, spec, name, partitions);
  story.start(runner);
  story.process_until(0.5);
  story.process_until(1);
  story.stop();
  return story.output();
}

SpecOutput hand_over(KafkaCluster& cluster, const json::value& spec, const std::string& name,
                     Runner first, Runner second, int partitions) {
  SpecStory story(cluster, spec, name, partitions);
  story.start(first);
  story.process_until(0.5);
  story.stop();
  story.start(second);
  story.process_until(1);
  story.stop();
  return story.output();
}

}  // namespace thalweg::testing
