#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/embedded_log.h>
#include <thalweg/runtime/log.h>

namespace thalweg::testing {

/// A log of one kind, and what a test must do for it to get on.
class LogHarness {
 public:
  virtual ~LogHarness() = default;
  virtual Log& log() = 0;
  /// Lets pending work of the log happen: time, deliveries, syncs.
  virtual void settle() = 0;
  /// Whether a topic is made by writing or subscribing to it.
  virtual bool makes_topics() const { return true; }
};

/// A log that the contract is tested on.
struct LogUnderTest {
  const char* name;
  std::unique_ptr<LogHarness> (*make)();
};

inline std::ostream& operator<<(std::ostream& out, const LogUnderTest& log) {
  return out << log.name;
}

/// Those of this test program.
std::vector<LogUnderTest> logs_under_test();

inline std::string name_of(const ::testing::TestParamInfo<LogUnderTest>& info) {
  return info.param.name;
}

std::unique_ptr<LogHarness> embedded_log_on_simulated_storage();
std::unique_ptr<LogHarness> embedded_log_on_rocksdb();
std::unique_ptr<LogHarness> simulated_log();

/// A record as tests write and expect it.
struct Written {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::int64_t millis = 0;
  std::string headers = {};

  friend bool operator==(const Written&, const Written&) = default;
};

inline std::ostream& operator<<(std::ostream& out, const Written& record) {
  return out << record.key.value_or("<null>") << "=" << record.value.value_or("<null>") << "@"
             << record.millis << (record.headers.empty() ? "" : " with headers");
}

/// A consumer with its answers collected.
class Reader {
 public:
  Reader(LogHarness& harness, const ConsumerOptions& options)
      : harness_(harness), consumer_(harness.log().consumer(options)) {}

  LogConsumer& operator*() { return *consumer_; }
  LogConsumer* operator->() { return consumer_.get(); }
  void destroy() { consumer_.reset(); }

  /// Every record that is there, from the positions on.
  std::vector<Written> read(std::size_t at_once = 1000);
  /// The offsets of what the last read() returned, in order.
  const std::vector<Offset>& offsets() const { return offsets_; }
  /// The position after the last batch read.
  Offset next() const { return next_; }
  /// Where the log said that the partition ends, with that batch.
  Offset end() const { return end_; }
  CommitSequence commit() const { return commit_; }
  /// The next event; fails the test when there is none.
  ConsumerEvent event();
  bool has_event();
  /// Takes events until there are no more, keeping what is assigned and releasing what is revoked.
  void follow_group();
  const std::vector<TopicPartition>& owned() const { return owned_; }
  std::map<TopicPartition, OffsetAndMetadata> committed(const std::vector<TopicPartition>& of);

 private:
  LogHarness& harness_;
  std::unique_ptr<LogConsumer> consumer_;
  std::vector<Offset> offsets_;
  Offset next_ = kNoOffset;
  Offset end_ = kNoOffset;
  CommitSequence commit_ = 0;
  std::vector<TopicPartition> owned_;
};

/// A producer with its answers awaited.
class Writer {
 public:
  using Kind = ProducerEvent::Kind;

  Writer(LogHarness& harness, const ProducerOptions& options)
      : harness_(harness), producer_(harness.log().producer(options)) {}

  LogProducer& operator*() { return *producer_; }
  LogProducer* operator->() { return producer_.get(); }

  Status send(const TopicPartition& to, const Written& record);
  ProducerEvent event();
  Kind init() { return producer_->init(), event().kind; }
  Kind flush() { return producer_->flush(), event().kind; }
  Kind commit();
  Kind abort() { return producer_->abort(), event().kind; }
  Kind send_offsets(const std::map<TopicPartition, OffsetAndMetadata>& offsets,
                    const GroupMetadata& group) {
    return producer_->send_offsets(offsets, group), event().kind;
  }
  /// One whole transaction.
  Kind write(const TopicPartition& to, const std::vector<Written>& records);
  Offset delivered_end(const TopicPartition& partition) {
    return producer_->delivered_end(producer_->topic(partition.topic), partition.partition);
  }
  CommitSequence last_commit() const { return last_commit_; }

 private:
  LogHarness& harness_;
  std::unique_ptr<LogProducer> producer_;
  CommitSequence last_commit_ = 0;
};

/// A directory of its own that goes with the test.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace thalweg::testing
