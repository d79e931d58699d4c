// Who listens to an inbox is told of everything that comes, whenever they begin.

#include "inbox_feed.h"

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thalweg/runtime/async_producer.h>
#include <thalweg/runtime/local_environment.h>
#include <thalweg/runtime/log_decorator.h>
#include <thalweg/schemas/partitioning.h>

#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

using namespace std::chrono_literals;

/// Tells when the feed has done with a record.
class Watch {
 public:
  void fetched(bool records) {
    const std::lock_guard lock(mutex_);
    looked_at_ |= had_some_;  // It asks for more when it has done with what it had.
    had_some_ |= records;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return looked_at_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool had_some_ = false;
  bool looked_at_ = false;
};

class WatchedConsumer final : public LogConsumer {
 public:
  WatchedConsumer(std::unique_ptr<LogConsumer> inner, Watch& watch)
      : inner_(std::move(inner)), watch_(watch) {}

  bool fetch(std::vector<RecordBatch>& into, std::size_t max_records) override {
    const bool some = inner_->fetch(into, max_records);
    watch_.fetched(std::ranges::any_of(into, [](const auto& b) { return !b.records.empty(); }));
    return some;
  }

  using Partitions = std::vector<TopicPartition>;
  void subscribe(const std::vector<std::string>& topics) override { inner_->subscribe(topics); }
  void release(const Partitions& partitions) override { inner_->release(partitions); }
  GroupMetadata group_metadata() const override { return inner_->group_metadata(); }
  void leave() override { inner_->leave(); }
  void assign(const TopicPartition& partition, Offset from, std::uint32_t tag) override {
    inner_->assign(partition, from, tag);
  }
  void unassign(const TopicPartition& partition) override { inner_->unassign(partition); }
  void pause(const TopicPartition& partition) override { inner_->pause(partition); }
  void resume(const TopicPartition& partition) override { inner_->resume(partition); }
  void fetch_committed(const Partitions& partitions) override {
    inner_->fetch_committed(partitions);
  }
  void fetch_ends(const Partitions& partitions,
                  const std::map<TopicPartition, Timestamp>& since) override {
    inner_->fetch_ends(partitions, since);
  }
  bool poll(ConsumerEvent& event) override { return inner_->poll(event); }
  void set_wakeup(std::function<void()> wakeup) override { inner_->set_wakeup(std::move(wakeup)); }

 private:
  std::unique_ptr<LogConsumer> inner_;
  Watch& watch_;
};

class WatchedLog final : public LogDecorator {
 public:
  WatchedLog(Log& inner, Watch& watch) : LogDecorator(inner), watch_(watch) {}
  std::unique_ptr<LogConsumer> consumer(const ConsumerOptions& options) override {
    auto consumer = LogDecorator::consumer(options);
    if (options.client_id != "inbox-feed") return consumer;
    return std::make_unique<WatchedConsumer>(std::move(consumer), watch_);
  }

 private:
  Watch& watch_;
};

/// Keeps the first notice that it is sent.
class FirstNotice final : public InboxSink {
 public:
  explicit FirstNotice(std::promise<std::string> body) : body_(std::move(body)) {}
  void send(const std::vector<InboxItem>& page, bool, Ready) override {
    body_.set_value(page.front().notice.body);  // And is never ready for another.
  }
  // A client that is gone: what comes only when it is looked after comes too late.
  void beat(Ready ready) override { ready(false); }
  void finish() override {}

 private:
  std::promise<std::string> body_;
};

/// The notifications application has not committed anything: it is not started before a test says
/// so.
class ListeningToAnInbox : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "thalweg-inbox-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    StreamsConfig config;
    config.state_dir = pattern;
    config.application_id = "notifications";
    auto opened = LocalEnvironment::open(config);
    ASSERT_TRUE(opened) << opened.error().message;
    environment_ = *std::move(opened);
    log_ = std::make_unique<WatchedLog>(environment_->log(), watch_);
    for (const char* topic : {topics::kInbox, topics::kCouponResults, topics::kCouponEvents,
                              topics::kNotificationEvents}) {
      ASSERT_TRUE(log_->create_topic({.name = topic, .partitions = 3}));
    }
    Environment environment = environment_->environment();
    environment.log = log_.get();
    application_ =
        std::make_unique<StreamsApplication>(build_notifications(), std::move(config), environment);
  }
  void TearDown() override {
    feed_.reset();
    application_->close();
    const std::string directory = application_->config().state_dir;
    application_.reset();
    environment_.reset();
    std::filesystem::remove_all(directory);
  }
  void open_feed() { feed_ = std::make_unique<InboxFeed>(*application_, run()); }
  static InboxReader::Run run() {
    return [](HandlerThreads::Work work) {
      work();
      return true;
    };
  }
  /// A notice for ann, in the topic as the application writes it.
  void notice_is_written() {
    std::string bytes;
    Serde<Notice>::serialize({"ann", "o1", {}, R"({"type":"ORDER_COMPLETED"})"}, bytes);
    AsyncProducer producer(*log_, "test");
    std::promise<void> written;
    producer.send(topics::kInbox, inbox_key("ann", 1), std::move(bytes),
                  environment_->environment().clock->wall_clock(), {},
                  [&](Result<AsyncProducer::Sent> sent) {
                    EXPECT_TRUE(sent);
                    written.set_value();
                  },
                  partition_of("ann", 3));
    written.get_future().wait();
    producer.close();
  }
  std::future<std::string> ann_listens() {
    std::promise<std::string> body;
    auto future = body.get_future();
    feed_->add(std::make_shared<InboxReader>(*application_, run(),
                                             InboxReader::Wish{.user_id = "ann"},
                                             std::make_unique<FirstNotice>(std::move(body))));
    return future;
  }
  static bool comes(const std::future<std::string>& notice) {
    return notice.wait_for(60s) == std::future_status::ready;
  }

  Watch watch_;
  std::unique_ptr<LocalEnvironment> environment_;
  std::unique_ptr<WatchedLog> log_;
  std::unique_ptr<StreamsApplication> application_;
  std::unique_ptr<InboxFeed> feed_;
};

TEST_F(ListeningToAnInbox, WhoComesBeforeANoticeIsCommittedGetsItThen) {
  open_feed();
  notice_is_written();
  watch_.wait();  // There was nobody to be told of it.

  const auto notice = ann_listens();
  ASSERT_TRUE(application_->start());

  ASSERT_TRUE(comes(notice));
}

TEST_F(ListeningToAnInbox, WhatWasWrittenBeforeTheShopWasThereComesToo) {
  notice_is_written();
  open_feed();

  const auto notice = ann_listens();
  ASSERT_TRUE(application_->start());

  ASSERT_TRUE(comes(notice));
}

}  // namespace
}  // namespace thalweg::shop
