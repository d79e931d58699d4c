#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <thalweg/state/simulated_storage.h>

#include "contract/log_fixture.h"

namespace thalweg::testing {

/// An embedded log on a disk that can crash: what the tests of recovery and upkeep share.
class EmbeddedStory : public LogHarness, public ::testing::Test {
 public:
  Log& log() override { return *log_; }
  void settle() override {}

 protected:
  using Kind = ProducerEvent::Kind;

  EmbeddedStory() {
    options_.background_threads = false;
    open();
  }

  void open() {
    auto opened = EmbeddedLog::open(storage_, clock_, options_);
    ASSERT_TRUE(opened) << opened.error().message;
    log_ = *std::move(opened);
  }
  void shut() {
    writer_.reset();
    log_.reset();
  }
  void reopen() {
    shut();
    open();
  }
  /// The process and the machine die; `surviving` of the batches not yet synced are found again.
  void crash(std::size_t surviving = 0) {
    writer_.reset();
    storage_.crash(surviving);
    log_.reset();
    open();
  }
  void create(const TopicSpec& spec) {
    const Status made = log_->create_topic(spec);
    ASSERT_TRUE(made) << made.error().message;
  }
  void sync() {
    while (log_->step_sync()) {
    }
  }
  Writer& writer() {
    if (!writer_) {
      writer_ = std::make_unique<Writer>(*this, ProducerOptions{.transactional_id = "shop-0"});
      writer_->init();
    }
    return *writer_;
  }
  Kind write(const TopicPartition& to, const std::vector<Written>& records) {
    return writer().write(to, records);
  }
  std::vector<Written> all_of(const TopicPartition& partition) {
    Reader reader(*this, {});
    reader->assign(partition, log_->range(partition)->begin, 0);
    std::vector<Written> records = reader.read();
    offsets_ = reader.offsets();
    return records;
  }

  SimulatedStorage storage_;
  ManualClock clock_{from_millis(1'700'000'000'000)};
  EmbeddedLogOptions options_;
  std::unique_ptr<EmbeddedLog> log_;
  std::unique_ptr<Writer> writer_;
  std::vector<Offset> offsets_;  ///< Of what all_of() read last.
};

}  // namespace thalweg::testing
