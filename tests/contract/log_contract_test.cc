#include "contract/log_fixture.h"

// What every log promises its clients, whatever it stands on.

namespace thalweg::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

const TopicPartition kOrders{"orders", 0};
const TopicPartition kPayments{"payments", 1};

class LogContract : public ::testing::TestWithParam<LogUnderTest> {
 protected:
  LogContract() {
    create("orders", 1);
    create("payments", 3);
    EXPECT_EQ(producer_.init(), Kind::kReady);
  }

  using Kind = ProducerEvent::Kind;
  using Event = ConsumerEvent::Kind;

  void create(const std::string& topic, std::int32_t partitions) {
    const Status made = log().create_topic({.name = topic, .partitions = partitions});
    ASSERT_TRUE(made) << made.error().message;
  }
  Log& log() { return harness_->log(); }
  Reader reader_of(const TopicPartition& partition, Offset from = 0) {
    Reader reader(*harness_, {});
    reader->assign(partition, from, 7);
    return reader;
  }
  std::vector<Written> all_of(const TopicPartition& partition) {
    return reader_of(partition).read();
  }

  std::unique_ptr<LogHarness> harness_ = GetParam().make();
  Writer producer_{*harness_, {.transactional_id = "shop-0"}};
};

TEST_P(LogContract, CommittedRecordsAreReadAsTheyWereWrittenInOrder) {
  std::string headers;
  Headers({{"source", "till 7"}, {"checked", std::nullopt}}).encode(headers);
  const std::vector<Written> records = {
      {"k1", "one", 100, headers}, {"k2", "two", 90}, {"k1", "", 110}};

  EXPECT_EQ(producer_.write(kOrders, records), Kind::kCommitted);

  EXPECT_EQ(all_of(kOrders), records);
}

TEST_P(LogContract, NullIsNotEmpty) {
  const std::vector<Written> records = {{std::nullopt, "v"}, {"k", std::nullopt}, {"", ""}};

  producer_.write(kOrders, records);

  EXPECT_EQ(all_of(kOrders), records);
}

TEST_P(LogContract, TimestampsBeforeTheEpochSurvive) {
  const std::vector<Written> records = {
      {"k", "v", -1}, {"k", "v", -5'000'000}, {"k", "v", 1LL << 45}};

  producer_.write(kOrders, records);

  EXPECT_EQ(all_of(kOrders), records);
}

TEST_P(LogContract, NothingIsVisibleBeforeTheCommit) {
  producer_->begin();
  ASSERT_TRUE(producer_.send(kOrders, {"k", "v"}));
  EXPECT_EQ(producer_.flush(), Kind::kFlushed);

  EXPECT_THAT(all_of(kOrders), IsEmpty());
}

TEST_P(LogContract, AbortedRecordsAreNeverSeen) {
  producer_->begin();
  ASSERT_TRUE(producer_.send(kOrders, {"k", "lost"}));
  EXPECT_EQ(producer_.abort(), Kind::kAborted);
  producer_.write(kOrders, {{"k", "kept"}});

  EXPECT_THAT(all_of(kOrders), ElementsAre(Written{"k", "kept"}));
}

TEST_P(LogContract, ATransactionReachesAllItsPartitions) {
  producer_->begin();
  ASSERT_TRUE(producer_.send(kOrders, {"k", "order"}));
  ASSERT_TRUE(producer_.send(kPayments, {"k", "payment"}));
  EXPECT_EQ(producer_.commit(), Kind::kCommitted);

  EXPECT_THAT(all_of(kOrders), ElementsAre(Written{"k", "order"}));
  EXPECT_THAT(all_of(kPayments), ElementsAre(Written{"k", "payment"}));
}

TEST_P(LogContract, OffsetsAscendAndTheEndIsPastTheLast) {
  Reader reader = reader_of(kOrders);
  producer_.write(kOrders, {{"a", "1"}, {"b", "2"}});
  producer_.write(kOrders, {{"c", "3"}});

  EXPECT_EQ(reader.read().size(), 3);

  EXPECT_TRUE(std::ranges::is_sorted(reader.offsets(), std::ranges::less_equal{}));
  EXPECT_EQ(reader.offsets().front(), 0);
  EXPECT_EQ(log().range(kOrders)->begin, 0);
  EXPECT_EQ(log().range(kOrders)->end, reader.next());
}

TEST_P(LogContract, AReaderStartsWhereItIsTold) {
  producer_.write(kOrders, {{"a", "1"}, {"b", "2"}, {"c", "3"}});

  EXPECT_THAT(reader_of(kOrders, 1).read(), ElementsAre(Written{"b", "2"}, Written{"c", "3"}));
}

TEST_P(LogContract, AReaderGoesOnWhereItStopped) {
  Reader reader = reader_of(kOrders);
  producer_.write(kOrders, {{"a", "1"}});
  EXPECT_THAT(reader.read(), ElementsAre(Written{"a", "1"}));
  EXPECT_THAT(reader.read(), IsEmpty());

  producer_.write(kOrders, {{"b", "2"}});

  EXPECT_THAT(reader.read(), ElementsAre(Written{"b", "2"}));
}

TEST_P(LogContract, AssigningAgainMovesThePosition) {
  Reader reader = reader_of(kOrders);
  producer_.write(kOrders, {{"a", "1"}, {"b", "2"}});
  reader.read();

  reader->assign(kOrders, 0, 7);

  EXPECT_THAT(reader.read(), ElementsAre(Written{"a", "1"}, Written{"b", "2"}));
}

TEST_P(LogContract, AnUnassignedPartitionIsNotRead) {
  Reader reader = reader_of(kOrders);
  producer_.write(kOrders, {{"a", "1"}});

  reader->unassign(kOrders);

  EXPECT_THAT(reader.read(), IsEmpty());
}

TEST_P(LogContract, BatchesCarryTheTagOfTheirPartition) {
  Reader reader(*harness_, {});
  reader->assign(kOrders, 0, 11);
  reader->assign(kPayments, 0, 22);
  producer_.write(kOrders, {{"k", "order"}});
  producer_.write(kPayments, {{"k", "payment"}});
  harness_->settle();

  std::vector<RecordBatch> batches;
  while (reader->fetch(batches, 100)) {
  }

  std::map<std::uint32_t, std::string> values;
  for (const auto& batch : batches) {
    for (const auto& record : batch.records) values[batch.tag] = *record.value;
  }
  EXPECT_THAT(values, ElementsAre(Pair(11, "order"), Pair(22, "payment")));
}

TEST_P(LogContract, ReadingALittleAtATimeLosesAndRepeatsNothing) {
  std::vector<Written> records;
  for (int i = 0; i < 1000; ++i) records.push_back({"k", std::to_string(i), i});
  producer_.write(kOrders, records);

  EXPECT_EQ(reader_of(kOrders).read(7), records);
}

TEST_P(LogContract, RecordsOutliveTheirConsumerWhileTheBatchIsHeld) {
  producer_.write(kOrders, {{"k", "a value that is too long for any small-string trick"}});
  Reader reader = reader_of(kOrders);
  harness_->settle();
  std::vector<RecordBatch> batches;
  reader->fetch(batches, 10);

  reader.destroy();

  ASSERT_EQ(batches.size(), 1);
  EXPECT_EQ(batches[0].records[0].value, "a value that is too long for any small-string trick");
}

TEST_P(LogContract, TheProducerKnowsWhereItsRecordsWent) {
  producer_.write(kOrders, {{"a", "1"}, {"b", "2"}});
  const Offset first = producer_.delivered_end(kOrders);
  producer_.write(kOrders, {{"c", "3"}});

  EXPECT_EQ(first, 2);
  EXPECT_GT(producer_.delivered_end(kOrders), first);
  EXPECT_EQ(producer_.delivered_end(kPayments), kNoOffset);
}

TEST_P(LogContract, ATransactionWithNothingForAPartitionDeliversNothingThere) {
  producer_.write(kOrders, {{"a", "1"}});

  producer_.write(kPayments, {{"b", "2"}});

  EXPECT_EQ(producer_.delivered_end(kOrders), kNoOffset);
}

TEST_P(LogContract, CommitsAreCountedInOrder) {
  producer_.write(kOrders, {{"a", "1"}});
  const CommitSequence first = producer_.last_commit();
  producer_.write(kOrders, {{"b", "2"}});

  EXPECT_GT(first, 0);
  EXPECT_GT(producer_.last_commit(), first);
  EXPECT_GE(log().durability().visible(), producer_.last_commit());
}

TEST_P(LogContract, ABatchNamesTheCommitThatMadeItVisible) {
  Reader reader = reader_of(kOrders);
  producer_.write(kOrders, {{"a", "1"}});
  reader.read();

  EXPECT_EQ(reader.commit(), producer_.last_commit());
}

TEST_P(LogContract, WhoWaitsForACommitIsToldWhenItIsDurable) {
  producer_.write(kOrders, {{"a", "1"}});
  bool told = false;

  log().durability().when_durable(producer_.last_commit(), [&] { told = true; });
  harness_->settle();

  EXPECT_TRUE(told);
  EXPECT_GE(log().durability().durable(), producer_.last_commit());
}

TEST_P(LogContract, WithoutATransactionalIdEachCommitIsAPlainWrite) {
  Writer plain(*harness_, {});
  EXPECT_EQ(plain.init(), Kind::kReady);
  ASSERT_TRUE(plain.send(kOrders, {"a", "1"}));
  EXPECT_EQ(plain.commit(), Kind::kCommitted);
  ASSERT_TRUE(plain.send(kOrders, {"b", "2"}));
  EXPECT_EQ(plain.commit(), Kind::kCommitted);

  EXPECT_THAT(all_of(kOrders), ElementsAre(Written{"a", "1"}, Written{"b", "2"}));
  EXPECT_EQ(plain.delivered_end(kOrders), 2);
}

TEST_P(LogContract, ANewerProducerFencesTheOlder) {
  producer_->begin();
  ASSERT_TRUE(producer_.send(kOrders, {"k", "zombie"}));

  Writer newer(*harness_, {.transactional_id = "shop-0"});
  EXPECT_EQ(newer.init(), Kind::kReady);

  EXPECT_EQ(producer_.commit(), Kind::kFenced);
  EXPECT_EQ(newer.write(kOrders, {{"k", "alive"}}), Kind::kCommitted);
  EXPECT_THAT(all_of(kOrders), ElementsAre(Written{"k", "alive"}));
}

TEST_P(LogContract, AnotherIdFencesNobody) {
  Writer other(*harness_, {.transactional_id = "shop-1"});
  other.init();

  EXPECT_EQ(producer_.write(kOrders, {{"k", "v"}}), Kind::kCommitted);
}

TEST_P(LogContract, OffsetsAreCommittedWithTheirTransaction) {
  Reader reader(*harness_, {.group = "shop"});
  producer_->begin();
  ASSERT_TRUE(producer_.send(kPayments, {"k", "v"}));
  EXPECT_EQ(producer_.send_offsets({{kOrders, {5, "time=9"}}}, reader->group_metadata()),
            Kind::kOffsetsSent);
  EXPECT_THAT(log().committed("shop"), IsEmpty());

  EXPECT_EQ(producer_.commit(), Kind::kCommitted);

  EXPECT_THAT(reader.committed({kOrders, kPayments}),
              ElementsAre(Pair(kOrders, OffsetAndMetadata{5, "time=9"})));
  EXPECT_THAT(log().committed("shop"), ElementsAre(Pair(kOrders, OffsetAndMetadata{5, "time=9"})));
}

TEST_P(LogContract, OffsetsOfAnAbortedTransactionAreForgotten) {
  Reader reader(*harness_, {.group = "shop"});
  producer_->begin();
  producer_.send_offsets({{kOrders, {5, ""}}}, reader->group_metadata());

  EXPECT_EQ(producer_.abort(), Kind::kAborted);

  EXPECT_THAT(reader.committed({kOrders}), IsEmpty());
}

TEST_P(LogContract, GroupsDoNotShareOffsets) {
  Reader reader(*harness_, {.group = "shop"});
  producer_->begin();
  producer_.send_offsets({{kOrders, {5, ""}}}, reader->group_metadata());
  producer_.commit();

  EXPECT_THAT(Reader(*harness_, {.group = "audit"}).committed({kOrders}), IsEmpty());
}

TEST_P(LogContract, EndsAreAnsweredForEveryPartitionAsked) {
  producer_.write(kPayments, {{"a", "1"}, {"b", "2"}});
  Reader reader(*harness_, {});

  reader->fetch_ends({kOrders, kPayments});

  const ConsumerEvent answer = reader.event();
  ASSERT_EQ(answer.kind, Event::kEndOffsets);
  EXPECT_EQ(answer.ranges.at(kOrders).end, 0);
  EXPECT_GE(answer.ranges.at(kPayments).end, 2);
}

TEST_P(LogContract, ReadingReachesTheEndThatWasAnswered) {
  producer_.write(kOrders, {{"a", "1"}});
  Reader reader = reader_of(kOrders);
  reader->fetch_ends({kOrders});
  const Offset end = reader.event().ranges.at(kOrders).end;

  reader.read();

  EXPECT_GE(reader.next(), end);
}

TEST_P(LogContract, WhoReadsAnEmptyPartitionIsToldThatItIsEmpty) {
  Reader reader = reader_of(kOrders);

  EXPECT_THAT(reader.read(), IsEmpty());

  EXPECT_THAT(std::pair(reader.next(), reader.end()), Pair(0, 0));
}

TEST_P(LogContract, ABatchTellsThatThePartitionHasMore) {
  producer_.write(kOrders, {{"a", "1"}, {"b", "2"}, {"c", "3"}});
  Reader reader = reader_of(kOrders);
  harness_->settle();
  std::vector<RecordBatch> batches;

  reader->fetch(batches, 2);

  ASSERT_EQ(batches.size(), 1);
  EXPECT_EQ(batches[0].next, 2);
  EXPECT_GE(batches[0].end, 3);
}

TEST_P(LogContract, ReadToItsEndThePartitionIsKnownToHaveNoMore) {
  producer_.write(kOrders, {{"a", "1"}, {"b", "2"}});
  Reader reader = reader_of(kOrders);
  reader.read();
  EXPECT_EQ(reader.next(), reader.end());

  producer_.write(kOrders, {{"c", "3"}});
  EXPECT_THAT(reader.read(), ElementsAre(Written{"c", "3"}));
  EXPECT_EQ(reader.next(), reader.end());
}

TEST_P(LogContract, TheEndIsBeforeATransactionThatIsStillOpen) {
  producer_.write(kOrders, {{"a", "1"}});
  Writer slow(*harness_, {.transactional_id = "slow"});
  slow.init();
  slow->begin();
  EXPECT_TRUE(slow.send(kOrders, {"b", "2"}));
  EXPECT_EQ(slow.flush(), Kind::kFlushed);
  Reader reader = reader_of(kOrders);

  EXPECT_THAT(reader.read(), ElementsAre(Written{"a", "1"}));

  EXPECT_EQ(reader.next(), reader.end());
}

TEST_P(LogContract, APausedPartitionIsNotReadUntilItIsResumed) {
  Reader reader(*harness_, {});
  reader->assign(kOrders, 0, 1);
  reader->assign(kPayments, 0, 2);
  reader->pause(kOrders);
  producer_.write(kOrders, {{"k", "order"}});
  producer_.write(kPayments, {{"k", "payment"}});
  EXPECT_THAT(reader.read(), ElementsAre(Written{"k", "payment"}));

  reader->resume(kOrders);

  EXPECT_THAT(reader.read(), ElementsAre(Written{"k", "order"}));
}

TEST_P(LogContract, DeletedRecordsMoveTheBeginning) {
  producer_.write(kOrders, {{"a", "1"}, {"b", "2"}, {"c", "3"}});

  log().delete_records(kOrders, 2);
  harness_->settle();

  EXPECT_EQ(log().range(kOrders)->begin, 2);
  EXPECT_THAT(reader_of(kOrders, 2).read(), ElementsAre(Written{"c", "3"}));
}

TEST_P(LogContract, APositionBeforeTheBeginningIsOutOfRange) {
  producer_.write(kOrders, {{"a", "1"}, {"b", "2"}, {"c", "3"}});
  log().delete_records(kOrders, 2);
  harness_->settle();
  Reader reader = reader_of(kOrders, 1);

  EXPECT_THAT(reader.read(), IsEmpty());

  const ConsumerEvent event = reader.event();
  EXPECT_EQ(event.kind, Event::kOutOfRange);
  EXPECT_THAT(event.partitions, ElementsAre(kOrders));
}

TEST_P(LogContract, APositionPastTheEndIsOutOfRange) {
  producer_.write(kOrders, {{"a", "1"}});
  Reader reader = reader_of(kOrders, 50);

  EXPECT_THAT(reader.read(), IsEmpty());

  EXPECT_EQ(reader.event().kind, Event::kOutOfRange);
}

TEST_P(LogContract, AReaderThatHadThemIsNotHurtByDeletedRecords) {
  producer_.write(kOrders, {{"a", "1"}, {"b", "2"}});
  Reader reader = reader_of(kOrders);
  reader.read();

  log().delete_records(kOrders, reader.next());
  producer_.write(kOrders, {{"c", "3"}});

  EXPECT_THAT(reader.read(), ElementsAre(Written{"c", "3"}));
}

TEST_P(LogContract, TopicsAreKnownByTheirSettings) {
  const Status made = log().create_topic({.name = "stock",
                                          .partitions = 4,
                                          .cleanup = CleanupPolicy::kCompact,
                                          .retention = std::chrono::hours(1)});
  ASSERT_TRUE(made);

  const auto stock = log().topic("stock");
  ASSERT_TRUE(stock);
  EXPECT_EQ(stock->partitions, 4);
  EXPECT_EQ(stock->cleanup, CleanupPolicy::kCompact);
  EXPECT_EQ(stock->retention, std::chrono::hours(1));
  EXPECT_EQ(log().topics()->size(), 3);
}

TEST_P(LogContract, ATopicIsMadeOnce) {
  EXPECT_EQ(log().create_topic({.name = "orders"}).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(log().topic("nowhere").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(log().create_topic({.name = "a/b"}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(log().create_topic({.name = "none", .partitions = 0}).error().code,
            ErrorCode::kInvalid);
}

TEST_P(LogContract, ADeletedTopicIsGoneWithItsRecordsAndOffsets) {
  Reader member(*harness_, {.group = "shop"});
  producer_->begin();
  ASSERT_TRUE(producer_.send(kOrders, {"a", "1"}));
  producer_.send_offsets({{kOrders, {5, ""}}}, member->group_metadata());
  producer_.commit();

  EXPECT_TRUE(log().delete_topic("orders"));
  EXPECT_EQ(log().topic("orders").error().code, ErrorCode::kNotFound);
  create("orders", 1);

  EXPECT_EQ(log().range(kOrders)->end, 0);
  EXPECT_THAT(log().committed("shop"), IsEmpty());
}

TEST_P(LogContract, APartitionThatDoesNotExistTakesNoRecord) {
  producer_->begin();

  const Status sent = producer_.send({"orders", 9}, {"k", "v"});

  ASSERT_FALSE(sent);
  EXPECT_THAT(sent.error().message, ::testing::HasSubstr("orders"));
}

TEST_P(LogContract, WritingToAnUnknownTopicMakesItOrTellsThatThereIsNone) {
  const TopicHandle fresh = producer_->topic("fresh");
  const auto partitions = producer_->partitions(fresh);
  EXPECT_EQ(partitions.has_value(), harness_->makes_topics());
  EXPECT_EQ(log().topic("fresh").has_value(), harness_->makes_topics());
}

TEST_P(LogContract, AReaderIsWokenByARecordForItsPartition) {
  Reader reader = reader_of(kOrders);
  producer_.write(kOrders, {{"k", "v"}});
  reader.read();
  int woken = 0;
  reader->set_wakeup([&] { ++woken; });

  producer_.write(kPayments, {{"k", "v"}});
  harness_->settle();
  EXPECT_EQ(woken, 0);
  producer_.write(kOrders, {{"k", "v"}});
  harness_->settle();

  EXPECT_GE(woken, 1);
}

INSTANTIATE_TEST_SUITE_P(Logs, LogContract, ::testing::ValuesIn(logs_under_test()), name_of);

}  // namespace
}  // namespace thalweg::testing
