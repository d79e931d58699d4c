// Topics on the embedded log for comparisons side by side: fills them with the data sets, reads
// what an application put out, as topic_tool does on a broker. Each command prints one JSON object.

#include <condition_variable>
#include <cstdio>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <thalweg/runtime/async_producer.h>
#include <thalweg/runtime/local_environment.h>

#include "peer/data_counts.h"
#include "peer/data_sets.h"
#include "peer/topic_digest.h"

namespace {

using namespace thalweg;
using namespace thalweg::bench;

/// The log in a directory that nobody else has open.
class OpenedLog {
 public:
  explicit OpenedLog(const std::string& directory) {
    StreamsConfig config;
    config.application_id = "embedded_topics";
    config.state_dir = directory;
    auto opened = LocalEnvironment::open(config);
    if (!opened) throw std::runtime_error(opened.error().message);
    local_ = *std::move(opened);
  }
  Log& operator*() { return local_->log(); }
  Log* operator->() { return &local_->log(); }

 private:
  std::unique_ptr<LocalEnvironment> local_;
};

/// Sends records, no more at a time than memory should hold.
class Sender {
 public:
  explicit Sender(Log& log) : producer_(log, "embedded_topics") {}

  void send(const std::string& topic, const DataRecord& record) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return under_way_ < kMost; });
    ++under_way_;
    lock.unlock();
    producer_.send(topic, record.key, record.value, from_millis(record.timestamp_ms), {},
                   [this](Result<AsyncProducer::Sent> sent) { note(sent); });
  }
  void finish() {
    producer_.close();
    if (!error_.empty()) throw std::runtime_error(error_);
  }

 private:
  static constexpr std::int64_t kMost = 100'000;

  void note(const Result<AsyncProducer::Sent>& sent) {
    const std::lock_guard lock(mutex_);
    --under_way_;
    if (!sent) error_ = sent.error().message;
    changed_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t under_way_ = 0;
  std::string error_;
  AsyncProducer producer_;  // Last: its thread uses the rest.
};

struct Load {
  std::string directory;
  std::string topic;
  std::string data_set_name;
  std::int64_t count = 0;
  std::int64_t base_ms = 0;
  int partitions = 4;

  void run() const {
    OpenedLog log(directory);
    if (auto made = log->create_topic({.name = topic, .partitions = partitions}); !made) {
      throw std::runtime_error(made.error().message);
    }
    const DataSet records = data_set(data_set_name);
    DataCounts counts(data_set_name);
    Sender sender(*log);
    DataRecord record;
    for (std::int64_t index = 0; index < count; ++index) {
      records(index, count, base_ms, record);
      counts.add(index, count, record);
      sender.send(topic, record);
    }
    sender.finish();
    fmt::print("{{\"topic\":\"{}\",\"records\":{},\"matches\":{},\"windows\":{}}}\n", topic, count,
               counts.matches(), counts.windows());
  }
};

void digest(const std::string& directory, const std::string& topic, bool with_partition_and_time) {
  OpenedLog log(directory);
  const auto spec = log->topic(topic);
  if (!spec) throw std::runtime_error(spec.error().message);
  const auto consumer = log->consumer({});
  for (std::int32_t partition = 0; partition < spec->partitions; ++partition) {
    consumer->assign({topic, partition}, 0, static_cast<std::uint32_t>(partition));
  }
  TopicDigest digest(with_partition_and_time);
  std::vector<RecordBatch> batches;
  while (consumer->fetch(batches, 10'000)) {
    for (const RecordBatch& batch : batches) {
      for (const RecordView& record : batch.records) {
        digest.add({.partition = static_cast<std::int32_t>(batch.tag),
                    .timestamp_ms = to_millis(record.timestamp),
                    .key = record.key.value_or(BytesView()),
                    .value = record.value.value_or(BytesView()),
                    .is_tombstone = !record.value});
      }
    }
    batches.clear();
  }
  fmt::print("{}\n", digest.json());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Topics on the embedded log for comparisons side by side.");
  app.require_subcommand(1);
  Load load;
  std::string directory;
  std::string topic;
  auto* fill = app.add_subcommand("load", "Make a topic and fill it with a data set");
  fill->add_option("directory", load.directory)->required();
  fill->add_option("topic", load.topic)->required();
  fill->add_option("data-set", load.data_set_name)->required();
  fill->add_option("count", load.count)->required();
  fill->add_option("base-ms", load.base_ms, "Event time of the beginning")->required();
  fill->add_option("--partitions", load.partitions)->capture_default_str();
  fill->callback([&] { load.run(); });
  auto* check = app.add_subcommand("digest", "What is in a topic, whatever its order");
  check->add_option("directory", directory)->required();
  check->add_option("topic", topic)->required();
  bool with_partition_and_time = false;
  check->add_flag("--with-partition-and-time", with_partition_and_time,
                  "Hash where and when each record is too");
  check->callback([&] { digest(directory, topic, with_partition_and_time); });
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    fmt::print(stderr, "embedded_topics: {}\n", error.what());
    return 1;
  }
}
