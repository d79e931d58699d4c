// What a producer does with records while its log does not answer.

#include <thalweg/runtime/async_producer.h>

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/log_decorator.h>
#include <thalweg/runtime/simulated_log.h>

namespace thalweg {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Lt;

/// Takes everything; commits end only as the test says.
class HeldProducer final : public LogProducer {
 public:
  HeldProducer(std::shared_future<void> released, std::atomic<int>& commits)
      : released_(std::move(released)), commits_(commits) {}

  void set_wakeup(std::function<void()> wakeup) override { wakeup_ = std::move(wakeup); }
  void init() override {}
  void begin() override {}
  TopicHandle topic(std::string_view) override { return 0; }
  Result<std::int32_t> partitions(TopicHandle) override { return 1; }
  Status send(TopicHandle, std::int32_t, std::optional<BytesView>, std::optional<BytesView>,
              Timestamp, BytesView) override {
    return {};
  }
  void flush() override {}
  void send_offsets(const std::map<TopicPartition, OffsetAndMetadata>&,
                    const GroupMetadata&) override {}
  void commit() override {
    ++commits_;
    released_.wait();
    refused_ = true;
  }
  void abort() override {}
  bool poll(ProducerEvent& event) override {
    if (!std::exchange(refused_, false)) return false;
    event = {.kind = ProducerEvent::Kind::kAbortRequired,
             .error = {ErrorCode::kUnavailable, "nobody answers"}};
    return true;
  }
  Offset delivered_end(TopicHandle, std::int32_t) const override { return kNoOffset; }

 private:
  const std::shared_future<void> released_;
  std::atomic<int>& commits_;
  std::function<void()> wakeup_;
  bool refused_ = false;
};

class HeldLog final : public LogDecorator {
 public:
  using LogDecorator::LogDecorator;
  std::unique_ptr<LogProducer> producer(const ProducerOptions&) override {
    return std::make_unique<HeldProducer>(released_, commits_);
  }
  /// From now on commits end, without success.
  void release() { release_.set_value(); }
  int commits() const { return commits_; }

 private:
  std::atomic<int> commits_ = 0;
  std::promise<void> release_;
  std::shared_future<void> released_ = release_.get_future().share();
};

class ALogThatDoesNotAnswer : public ::testing::Test {
 protected:
  void send(std::string value) {
    ++sent_;
    producer_.send("views", "k", std::move(value), from_millis(1), {},
                   [this](Result<AsyncProducer::Sent> sent) {
                     ++answered_;
                     if (!sent) last_error_ = sent.error().message;
                   });
  }

  ManualClock clock_;
  std::unique_ptr<SimulatedLog> simulated_ = make_simulated_log(clock_, {});
  HeldLog log_{*simulated_};
  int sent_ = 0;
  std::atomic<int> answered_ = 0;
  std::string last_error_;  // Of this thread while the log is held.
  AsyncProducer producer_{log_, "test"};
};

// What views wrote while the brokers were away stayed in memory, all of it.
TEST_F(ALogThatDoesNotAnswer, HasSoMuchWaitAndNoMore) {
  constexpr int kMegabyte = 1 << 20;
  while (answered_ == 0) {
    send(std::string(kMegabyte, 'v'));
    ASSERT_LT(sent_, 1'000);
  }
  EXPECT_THAT(sent_, AllOf(Ge(64), Lt(140)));  // One batch may be on its way.
  EXPECT_EQ(last_error_, "too much waits to be written");

  log_.release();
  producer_.close();

  EXPECT_EQ(answered_, sent_);
}

// Each batch that still waited was given the client's own time, half a minute or more.
TEST_F(ALogThatDoesNotAnswer, IsNotWaitedForWithEveryBatchAtTheEnd) {
  send("first");
  while (log_.commits() == 0) std::this_thread::yield();
  for (int i = 0; i < 30'000; ++i) send("v");
  auto closing = std::async(std::launch::async, [this] { producer_.close(); });
  while (answered_ == 0) send("is it closed?");

  log_.release();
  closing.get();

  EXPECT_EQ(log_.commits(), 1);
  EXPECT_EQ(answered_, sent_);
}

}  // namespace
}  // namespace thalweg
