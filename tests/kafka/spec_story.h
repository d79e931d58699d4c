#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <boost/json/value.hpp>

#include <thalweg/runtime/kafka_log.h>

#include "kafka/kafka_cluster.h"

namespace thalweg::testing {

/// Who runs the topology of a spec: tests/golden/spec_app, or Kafka Streams
/// (java/oracle/Live.java).
enum class Runner { kThalweg, kKafkaStreams };

/// What came out, as text: for each topic, and in it for each key, the records in order.
using SpecOutput = std::map<std::string, std::map<std::string, std::vector<std::string>>>;

/// A spec whose input is processed piece by piece by one application, whichever process runs it at
/// the time. Its topics are made anew for each story, so one story is told at a time.
class SpecStory {
 public:
  SpecStory(KafkaCluster& cluster, const boost::json::value& spec, const std::string& name,
            int partitions = 1);

  /// Starts the application and returns when it runs; fails the test when it does not.
  void start(Runner runner, const std::vector<std::string>& settings = {});
  /// Starts it where it should not come to run.
  void launch(Runner runner, const std::vector<std::string>& settings = {});
  /// Writes the input up to this part of it, and waits until it is processed.
  void process_until(double part);
  /// Writes the next steps of the input at once, whoever runs.
  void write(std::size_t steps);
  /// The same, in batches of so many records.
  void write_in_batches_of(int records, std::size_t steps);
  /// Writes one record to a topic that is made for it.
  void write_to_new(const std::string& topic, const std::string& key, std::int64_t value);
  /// Ends it as SIGTERM does.
  void stop();
  /// Waits until it has ended by itself and returns its exit code.
  int wait_for_end();
  /// Read with read_committed.
  SpecOutput output();
  /// The same, once a key is in a topic.
  SpecOutput output_with(const std::string& topic, const std::string& key);
  /// What the program that runs, or ran last, has printed.
  std::string printed() const;

 private:
  void make_topics(int partitions);
  bool write_piece(std::size_t last, Log& log);
  /// Until all input is committed and nothing has been written for a while.
  void wait_until_processed();
  std::map<TopicPartition, Offset> ends(const std::vector<TopicSpec>& topics);

  KafkaCluster& cluster_;
  const boost::json::value spec_;
  const std::string application_id_;
  TemporaryDirectory directory_;
  std::unique_ptr<Log> log_;
  std::map<std::string, std::int32_t> topics_;  // The spec's own, with their partitions.
  std::set<std::string> inputs_;
  std::string running_;   // The file of what the program that runs has printed.
  std::size_t next_ = 0;  // Of the input.
  int starts_ = 0;
  pid_t pid_ = -1;
};

/// The output of one uninterrupted run.
SpecOutput run_whole(KafkaCluster& cluster, const boost::json::value& spec, const std::string& name,
                     Runner runner, int partitions = 1);

/// The output when `first` processes the first half and `second` the rest.
SpecOutput hand_over(KafkaCluster& cluster, const boost::json::value& spec, const std::string& name,
                     Runner first, Runner second, int partitions = 1);

}  // namespace thalweg::testing
