#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <thalweg/runtime/async_producer.h>
#include <thalweg/runtime/kafka_log.h>

#include "kafka/kafka_cluster.h"

namespace thalweg::testing {

/// A process of tests/kafka/count_app. It is killed with the story.
class CountApp {
 public:
  CountApp(const std::string& application_id, const std::string& state_dir,
           const std::string& bootstrap_servers, const std::vector<std::string>& settings = {});
  ~CountApp();

  /// Waits until all its tasks run; fails the test when it ends before.
  void wait_until_running();
  void kill();    ///< As by SIGKILL.
  void freeze();  ///< SIGSTOP.
  void thaw();
  /// Asks it to end and returns its exit code.
  int stop();
  bool runs() const { return pid_ > 0; }
  std::string output() const;
  pid_t pid() const { return pid_; }

 private:
  std::string output_;
  pid_t pid_ = -1;
};

/// One application that counts, its input and its output on a cluster. The output must hold each
/// count of each key once and in order: 1, 2, 3, ... up to the number of its records in the input.
class CountingStory {
 public:
  /// `login`: properties of every client, the processes' too.
  explicit CountingStory(KafkaCluster& cluster, const std::string& name, int partitions = 4,
                         std::map<std::string, std::string> login = {});

  /// Starts another process of the application.
  CountApp& start(const std::vector<std::string>& settings = {});
  /// Starts one in the directory of an earlier one, which is gone.
  CountApp& start_again(std::size_t earlier, const std::vector<std::string>& settings = {});
  void forget_last() { apps_.pop_back(); }
  CountApp& app(std::size_t index) { return *apps_.at(index); }
  std::size_t apps() const { return apps_.size(); }
  /// By which of the cluster's ways a process reaches it. The story itself is on the first one.
  int way(std::size_t app) const;

  /// Writes `records` of `keys` keys, and returns when each is durable or has failed.
  void write(int records, int keys = 50);
  /// Waits until the output holds as many records as the input, or time is up.
  void wait_for_output(std::chrono::seconds patience = std::chrono::seconds(60));
  /// Waits until the output holds so many records, or time is up.
  void wait_for_output_of(std::size_t records,
                          std::chrono::seconds patience = std::chrono::seconds(60));
  void expect_each_record_counted_once();
  /// What the output has said of the key so far.
  const std::vector<std::int64_t>& counts(const std::string& key);
  std::size_t output_records();
  std::size_t input_records();

  const std::string& application_id() const { return application_id_; }
  const std::string& input() const { return input_; }
  const std::string& output() const { return output_; }
  int partitions() const { return partitions_; }
  Log& log() { return *log_; }

 private:
  /// A topic from its beginning on: what each key had, in order.
  struct Read {
    std::unique_ptr<LogConsumer> consumer;
    std::map<std::string, std::vector<std::int64_t>> values;
    std::size_t records = 0;
  };
  std::vector<std::string> with_login(std::vector<std::string> settings) const;
  Read open(const std::string& topic);
  void read(Read& topic);

  KafkaCluster& cluster_;
  const std::string application_id_;
  const std::string input_;
  const std::string output_;
  const int partitions_;
  const std::map<std::string, std::string> login_;
  TemporaryDirectory directory_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<AsyncProducer> producer_;
  std::vector<std::string> directories_;
  std::vector<std::unique_ptr<CountApp>> apps_;
  std::int64_t written_ = 0;
  Read input_read_;
  Read output_read_;
};

/// Writes without pause until it is told to stop.
class Load {
 public:
  explicit Load(CountingStory& story);
  ~Load() { stop(); }
  void stop();

 private:
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

/// Watches the output from now on: how long each partition was without a record.
class GapWatch {
 public:
  explicit GapWatch(CountingStory& story);
  ~GapWatch() { stop(); }
  /// The longest pause of any partition, also one that lasts still.
  std::chrono::milliseconds stop();

 private:
  using Clock = std::chrono::steady_clock;
  void watch(LogConsumer& consumer, int partitions);

  std::atomic<bool> stopping_ = false;
  std::chrono::milliseconds longest_{0};
  std::thread thread_;
};

}  // namespace thalweg::testing
