#include <random>

#include <thalweg/runtime/simulated_log.h>

#include "contract/log_fixture.h"

// What a broker and its client may do to an application, as the simulated log plays it.

namespace thalweg::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const TopicPartition kOrders{"orders", 0};
const TopicPartition kPayments{"payments", 0};

class SimulatedHazards : public LogHarness, public ::testing::Test {
 public:
  Log& log() override { return *log_; }
  /// Lets happen what is due now; with `patient`, lets time pass until something is heard.
  void settle() override {
    while (log_->step()) {
    }
    if (!patient_) return;
    if (const auto due = log_->next_due()) {
      clock_.advance(std::max(std::chrono::nanoseconds(0), *due - clock_.now()));
      log_->step();
    }
  }

 protected:
  using Kind = ProducerEvent::Kind;
  using Event = ConsumerEvent::Kind;
  using Step = SimulatedLog::Step;

  SimulatedHazards() { start({}); }

  void start(const SimulatedLogOptions& options) {
    log_ = make_simulated_log(clock_, options);
    for (const auto& partition : {kOrders, kPayments}) {
      ASSERT_TRUE(log_->create_topic({.name = partition.topic}));
    }
    ASSERT_TRUE(log_->create_topic({.name = "tasks", .partitions = 4}));
  }
  Writer producer(const std::string& id = "shop-0") {
    Writer made(*this, {.transactional_id = id});
    EXPECT_EQ(made.init(), Kind::kReady);
    return made;
  }
  Reader reader(const TopicPartition& partition, bool committed = true) {
    Reader made(*this, {.read_committed = committed});
    made->assign(partition, 0, 0);
    return made;
  }
  std::vector<Written> all_of(const TopicPartition& partition) { return reader(partition).read(); }
  /// The same on a log that answers late and not always.
  std::vector<Written> all_in_time(const TopicPartition& partition) {
    Reader slow = reader(partition);
    std::vector<Written> records;
    const Offset end = log_->range(partition)->end;
    for (int round = 0; round < 10'000 && slow.next() < end; ++round) {
      const auto more = slow.read();
      records.insert(records.end(), more.begin(), more.end());
    }
    EXPECT_GE(slow.next(), end);
    return records;
  }
  void pass(milliseconds time) {
    clock_.advance(time);
    while (log_->step()) {
    }
  }
  Offset position() {
    const auto committed = log_->committed("shop");
    return committed.contains(kOrders) ? committed.at(kOrders).offset : kNoOffset;
  }

  ManualClock clock_;
  bool patient_ = false;
  std::unique_ptr<SimulatedLog> log_;
};

TEST_F(SimulatedHazards, MarkersTakeOffsetsThatHoldNoRecord) {
  Writer shop = producer();
  shop.write(kOrders, {{"a", "1"}});
  shop.write(kOrders, {{"b", "2"}});
  Reader all = reader(kOrders);

  EXPECT_THAT(all.read(), SizeIs(2));

  EXPECT_THAT(all.offsets(), ElementsAre(0, 2));
  EXPECT_EQ(all.next(), 4);
}

TEST_F(SimulatedHazards, AnAbortedTransactionLeavesAGap) {
  Writer shop = producer();
  shop->begin();
  ASSERT_TRUE(shop.send(kOrders, {"a", "lost"}));
  shop.flush();
  shop.abort();
  shop.write(kOrders, {{"b", "2"}});
  Reader all = reader(kOrders);

  EXPECT_THAT(all.read(), ElementsAre(Written{"b", "2"}));

  EXPECT_THAT(all.offsets(), ElementsAre(2));
}

TEST_F(SimulatedHazards, AnOpenTransactionHoldsReadersBackButNotTheEnd) {
  Writer slow = producer("slow");
  slow->begin();
  ASSERT_TRUE(slow.send(kOrders, {"a", "open"}));
  slow.flush();
  producer("fast").write(kOrders, {{"b", "2"}});

  EXPECT_THAT(all_of(kOrders), IsEmpty());
  EXPECT_EQ(log_->range(kOrders)->end, 3);
  EXPECT_THAT(reader(kOrders, false).read(), SizeIs(2));
  slow.commit();

  EXPECT_THAT(all_of(kOrders), SizeIs(2));
}

TEST_F(SimulatedHazards, MarkersMayComeAfterTheAnswer) {
  start({.seed = 3, .marker_delay_max = seconds(5)});
  Writer shop = producer();
  EXPECT_EQ(shop.write(kOrders, {{"a", "1"}}), Kind::kCommitted);

  EXPECT_THAT(all_of(kOrders), IsEmpty());
  pass(seconds(6));

  EXPECT_THAT(all_of(kOrders), SizeIs(1));
}

TEST_F(SimulatedHazards, CommittedOffsetsWaitForTheMarker) {
  start({.seed = 3, .marker_delay_max = seconds(5)});
  Writer shop = producer();
  Reader member(*this, {.group = "shop"});
  shop->begin();
  shop.send_offsets({{kOrders, {7, ""}}}, member->group_metadata());
  shop.commit();

  member->fetch_committed({kOrders});

  EXPECT_FALSE(member.has_event());
  pass(seconds(6));
  EXPECT_EQ(member.event().committed.at(kOrders).offset, 7);
}

TEST_F(SimulatedHazards, CommittedOffsetsWaitForATransactionThatIsOpen) {
  Writer shop = producer();
  Reader member(*this, {.group = "shop"});
  shop->begin();
  shop.send_offsets({{kOrders, {7, ""}}}, member->group_metadata());
  member->fetch_committed({kOrders});
  EXPECT_FALSE(member.has_event());

  producer();  // Takes the id over, which ends the transaction.

  EXPECT_THAT(member.event().committed, IsEmpty());
}

TEST_F(SimulatedHazards, ATransactionThatTakesTooLongIsAbortedAndItsProducerFenced) {
  Writer shop = producer();
  shop->begin();
  ASSERT_TRUE(shop.send(kOrders, {"a", "1"}));
  shop.flush();

  pass(seconds(16));

  EXPECT_EQ(shop.commit(), Kind::kFenced);
  EXPECT_THAT(all_of(kOrders), IsEmpty());
  EXPECT_EQ(producer().write(kOrders, {{"b", "2"}}), Kind::kCommitted);
}

TEST_F(SimulatedHazards, AnUnknownOutcomeMayHaveBeenACommit) {
  for (const bool happened : {true, false}) {
    start({});
    Writer shop = producer();
    Reader member(*this, {.group = "shop"});
    log_->fail_next(Step::kCommit, Kind::kOutcomeUnknown, happened);
    shop->begin();
    ASSERT_TRUE(shop.send(kPayments, {"a", "1"}));
    shop.send_offsets({{kOrders, {1, ""}}}, member->group_metadata());

    EXPECT_EQ(shop.commit(), Kind::kOutcomeUnknown);
    producer();

    EXPECT_EQ(position(), happened ? 1 : kNoOffset);
    EXPECT_THAT(all_of(kPayments), SizeIs(happened ? 1 : 0));
  }
}

TEST_F(SimulatedHazards, ACommitWhoseAnswerWasLostMayArriveLate) {
  start({.late_end_max = seconds(2)});
  Writer shop = producer();
  log_->fail_next(Step::kCommit, Kind::kOutcomeUnknown);
  EXPECT_EQ(shop.write(kOrders, {{"a", "1"}}), Kind::kOutcomeUnknown);
  EXPECT_THAT(all_of(kOrders), IsEmpty());

  pass(seconds(3));

  EXPECT_THAT(all_of(kOrders), SizeIs(1));
}

TEST_F(SimulatedHazards, ALateCommitIsRefusedOnceTheIdIsTakenOver) {
  start({.late_end_max = seconds(2)});
  Writer shop = producer();
  log_->fail_next(Step::kCommit, Kind::kOutcomeUnknown);
  shop.write(kOrders, {{"a", "1"}});

  Writer next = producer();
  next->begin();
  ASSERT_TRUE(next.send(kOrders, {"b", "2"}));
  next.flush();
  pass(seconds(3));

  EXPECT_THAT(all_of(kOrders), IsEmpty());
}

TEST_F(SimulatedHazards, AFailedFlushLeavesOnlyTheAbort) {
  Writer shop = producer();
  log_->fail_next(Step::kFlush, Kind::kAbortRequired);
  shop->begin();
  ASSERT_TRUE(shop.send(kOrders, {"a", "1"}));

  EXPECT_EQ(shop.flush(), Kind::kAbortRequired);
  EXPECT_EQ(shop.commit(), Kind::kAbortRequired);
  EXPECT_EQ(shop.abort(), Kind::kAborted);
  EXPECT_EQ(shop.write(kOrders, {{"b", "2"}}), Kind::kCommitted);
}

TEST_F(SimulatedHazards, AFatalErrorIsForGood) {
  Writer shop = producer();
  log_->fail_next(Step::kCommit, Kind::kFailed);
  EXPECT_EQ(shop.write(kOrders, {{"a", "1"}}), Kind::kFailed);

  EXPECT_EQ(shop.abort(), Kind::kFailed);
}

TEST_F(SimulatedHazards, AnExpiredMemberIsAZombieUntilItHearsOfIt) {
  start({.seed = 5, .event_delay_max = seconds(5)});
  patient_ = true;
  Reader zombie(*this, {.group = "shop", .client_id = "a"});
  zombie->subscribe({"tasks"});
  EXPECT_EQ(zombie.event().kind, Event::kAssigned);
  const GroupMetadata before = zombie->group_metadata();
  ASSERT_GE(before.generation, 0);
  Writer shop = producer();
  shop->begin();

  patient_ = false;
  log_->expire_member("shop", "a");

  EXPECT_EQ(zombie->group_metadata().member, before.member);
  patient_ = true;
  EXPECT_EQ(shop.send_offsets({{kOrders, {1, ""}}}, before), Kind::kAbortRequired);
  const ConsumerEvent lost = zombie.event();
  EXPECT_EQ(lost.kind, Event::kLost);
  EXPECT_THAT(lost.partitions, SizeIs(4));
  EXPECT_EQ(zombie.event().kind, Event::kAssigned);  // It joins again by itself.
  EXPECT_NE(zombie->group_metadata().member, before.member);
}

TEST_F(SimulatedHazards, WhatALostMemberHadGoesToTheOthersAtOnce) {
  Reader lost(*this, {.group = "shop", .client_id = "a"});
  Reader other(*this, {.group = "shop", .client_id = "b"});
  lost->subscribe({"tasks"});
  other->subscribe({"tasks"});
  for (int round = 0; round < 3; ++round) {
    lost.follow_group();
    other.follow_group();
  }
  ASSERT_THAT(other.owned(), SizeIs(2));

  log_->expire_member("shop", "a");

  const ConsumerEvent assigned = other.event();
  EXPECT_EQ(assigned.kind, Event::kAssigned);
  EXPECT_THAT(assigned.partitions, SizeIs(2));
}

TEST_F(SimulatedHazards, MembersOfADeadProcessAreMissedAfterTheSessionTimeout) {
  Reader dead(*this, {.group = "shop", .client_id = "a"});
  dead->subscribe({"tasks"});
  log_->crash_clients();
  Reader next(*this, {.group = "shop", .client_id = "b"});
  next->subscribe({"tasks"});
  next.follow_group();
  EXPECT_THAT(next.owned(), SizeIs(0));

  pass(seconds(11));
  next.follow_group();

  EXPECT_THAT(next.owned(), SizeIs(4));
}

TEST_F(SimulatedHazards, ADeadProducerCommitsNothing) {
  Writer shop = producer();
  shop->begin();
  ASSERT_TRUE(shop.send(kOrders, {"a", "1"}));

  log_->crash_clients();
  shop->commit();

  ProducerEvent event;
  EXPECT_FALSE(shop->poll(event));
  EXPECT_THAT(all_of(kOrders), IsEmpty());
}

/// A process that copies orders to payments and counts each one once, whatever happens to it.
class Copier {
 public:
  using Kind = ProducerEvent::Kind;

  Copier(LogHarness& harness, int number) : harness_(harness), number_(number) {}

  /// One attempt at a transaction; on any trouble everything is made anew.
  void run_once() {
    if (!member_) start();
    if (!member_ || !attempt()) {
      producer_.reset();
      member_.reset();
    }
  }

 private:
  void start() {
    producer_ = std::make_unique<Writer>(
        harness_, ProducerOptions{.transactional_id = "copier-" + std::to_string(number_)});
    if (producer_->init() != Kind::kReady) return;
    member_ = std::make_unique<Reader>(harness_, ConsumerOptions{.group = "shop"});
    (*member_)->fetch_committed({kOrders});
    const auto committed = member_->event().committed;
    position_ = committed.contains(kOrders) ? committed.at(kOrders).offset : 0;
    (*member_)->assign(kOrders, position_, 0);
  }

  bool attempt() {
    const auto records = member_->read(5);
    if (records.empty()) return true;
    (*producer_)->begin();
    for (const Written& record : records) {
      if (!producer_->send(kPayments, record)) return false;
    }
    return producer_->flush() == Kind::kFlushed &&
           producer_->send_offsets({{kOrders, {member_->next(), ""}}},
                                   (*member_)->group_metadata()) == Kind::kOffsetsSent &&
           producer_->commit() == Kind::kCommitted;
  }

  LogHarness& harness_;
  const int number_;
  std::unique_ptr<Writer> producer_;
  std::unique_ptr<Reader> member_;
  Offset position_ = 0;
};

TEST_F(SimulatedHazards, ACopyIsExactWhateverGoesWrong) {
  patient_ = true;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    start({.seed = seed,
           .event_delay_max = milliseconds(20),
           .fetch_delay_max = milliseconds(20),
           .marker_delay_max = milliseconds(50),
           .late_end_max = milliseconds(500),
           .flush_aborts = 0.05,
           .offsets_abort = 0.05,
           .commit_aborts = 0.05,
           .commit_unknown = 0.1,
           .producer_fails = 0.02,
           .fetch_empty = 0.2,
           .fetch_records_max = 4});
    std::vector<Written> orders;
    Writer source(*this, {});
    source.init();
    while (orders.size() < 100) {
      orders.push_back({"k", std::to_string(orders.size())});
      ASSERT_TRUE(source.send(kOrders, orders.back()));
      if (orders.size() % 7 != 0) continue;
      while (source.commit() != Kind::kCommitted) source.init();
    }
    const auto written = all_in_time(kOrders);
    ASSERT_GE(written.size(), 50);

    Copier copier(*this, 1);
    for (int round = 0; round < 300; ++round) copier.run_once();
    pass(seconds(60));

    ASSERT_EQ(all_in_time(kPayments), written);
  }
}

}  // namespace
}  // namespace thalweg::testing
