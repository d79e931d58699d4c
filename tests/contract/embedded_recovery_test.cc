#include <atomic>
#include <random>
#include <thread>

#include "contract/embedded_story.h"
#include "embedded/journal_keys.h"

// What the embedded log keeps over restarts, crashes and a disk that fails.

namespace thalweg::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

const TopicPartition kOrders{"orders", 0};
const TopicPartition kPayments{"payments", 0};

class EmbeddedRecovery : public EmbeddedStory {
 protected:
  EmbeddedRecovery() {
    create({.name = "orders"});
    create({.name = "payments"});
    sync();
  }

  Kind order_and_position(int number) {
    writer()->begin();
    EXPECT_TRUE(writer().send(kOrders, {"k", std::to_string(number), number}));
    EXPECT_TRUE(writer().send(kPayments, {"k", std::to_string(number), number}));
    EXPECT_EQ(writer().send_offsets({{kPayments, {number, "t"}}}, {.group = "shop"}),
              Kind::kOffsetsSent);
    return writer().commit();
  }
  Offset position() {
    const auto committed = log_->committed("shop");
    return committed.contains(kPayments) ? committed.at(kPayments).offset : kNoOffset;
  }
};

TEST_F(EmbeddedRecovery, RecordsTopicsAndOffsetsAreThereAfterARestart) {
  create({.name = "stock",
          .partitions = 4,
          .cleanup = CleanupPolicy::kCompactAndDelete,
          .retention = std::chrono::hours(3)});
  const std::string cluster = log_->cluster_id();
  order_and_position(1);

  reopen();

  EXPECT_THAT(all_of(kOrders), ElementsAre(Written{"k", "1", 1}));
  EXPECT_EQ(log_->committed("shop").at(kPayments), (OffsetAndMetadata{1, "t"}));
  EXPECT_EQ(log_->topic("stock")->partitions, 4);
  EXPECT_EQ(log_->topic("stock")->cleanup, CleanupPolicy::kCompactAndDelete);
  EXPECT_EQ(log_->topic("stock")->retention, std::chrono::hours(3));
  EXPECT_EQ(log_->cluster_id(), cluster);
}

TEST_F(EmbeddedRecovery, OffsetsGoOnWhereTheyStopped) {
  write(kOrders, {{"a", "1"}, {"b", "2"}});
  reopen();

  write(kOrders, {{"c", "3"}});

  EXPECT_EQ(all_of(kOrders).size(), 3);
  EXPECT_THAT(offsets_, ElementsAre(0, 1, 2));
}

TEST_F(EmbeddedRecovery, ATopicMadeAnewHasNothingOfTheOldOne) {
  order_and_position(1);
  ASSERT_TRUE(log_->delete_topic("orders"));
  ASSERT_TRUE(log_->delete_topic("payments"));
  create({.name = "orders"});

  reopen();

  EXPECT_THAT(all_of(kOrders), IsEmpty());
  EXPECT_THAT(log_->committed("shop"), IsEmpty());
}

TEST_F(EmbeddedRecovery, TheBeginningStaysAfterRecordsWereDeleted) {
  write(kOrders, {{"a", "1"}, {"b", "2"}});
  write(kOrders, {{"c", "3"}});
  log_->delete_records(kOrders, 3);
  ASSERT_TRUE(log_->maintain());

  reopen();

  EXPECT_EQ(log_->range(kOrders)->begin, 3);
  EXPECT_EQ(log_->range(kOrders)->end, 3);
}

TEST_F(EmbeddedRecovery, WhatWasSyncedSurvivesACrash) {
  order_and_position(1);
  sync();
  order_and_position(2);

  crash();

  EXPECT_THAT(all_of(kOrders), ElementsAre(Written{"k", "1", 1}));
  EXPECT_EQ(position(), 1);
}

// For every point at which the machine may die: what is left is a prefix of the commits with all
// that were durable, and records and offsets tell the same.
TEST_F(EmbeddedRecovery, ACrashLeavesAPrefixOfTheCommits) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  int written = 0;
  for (int round = 0; round < 60; ++round) {
    int durable = written;
    const auto commits = static_cast<int>(random() % 8);
    for (int i = 0; i < commits; ++i) {
      ASSERT_EQ(order_and_position(++written), Kind::kCommitted);
      if (random() % 4 == 0) {
        sync();
        durable = written;
      }
      if (random() % 8 == 0) {
        ASSERT_TRUE(log_->maintain());
      }
    }
    writer_.reset();
    storage_.crash_at_random(random);
    log_.reset();
    open();

    const auto orders = all_of(kOrders);
    const auto left = static_cast<int>(orders.size());
    ASSERT_GE(left, durable);
    ASSERT_LE(left, written);
    for (int i = 0; i < left; ++i) {
      ASSERT_EQ(orders[static_cast<std::size_t>(i)].value, std::to_string(i + 1));
    }
    ASSERT_EQ(all_of(kPayments), orders);
    ASSERT_EQ(position(), left == 0 ? kNoOffset : left);
    written = left;
  }
}

TEST_F(EmbeddedRecovery, AProducerOfBeforeTheRestartIsFencedByItsEpoch) {
  order_and_position(1);
  reopen();
  Writer second(*this, {.transactional_id = "shop-0"});
  second.init();
  EXPECT_EQ(second.write(kOrders, {{"k", "2", 2}}), Kind::kCommitted);

  Writer third(*this, {.transactional_id = "shop-0"});
  third.init();

  EXPECT_EQ(second.write(kOrders, {{"k", "x"}}), Kind::kFenced);
  EXPECT_EQ(all_of(kOrders).size(), 2);
}

// --- Durability -------------------------------------------------------------------------------

TEST_F(EmbeddedRecovery, ACommitIsDurableOnlyAfterASync) {
  write(kOrders, {{"a", "1"}});
  const CommitSequence commit = writer().last_commit();
  bool told = false;
  log_->durability().when_durable(commit, [&] { told = true; });

  EXPECT_FALSE(told);
  EXPECT_LT(log_->durability().durable(), commit);
  EXPECT_TRUE(log_->step_sync());

  EXPECT_TRUE(told);
  EXPECT_EQ(log_->durability().durable(), commit);
  EXPECT_FALSE(log_->step_sync());
}

TEST_F(EmbeddedRecovery, OneSyncServesAllThatWait) {
  std::vector<int> told;
  for (int i = 0; i < 3; ++i) {
    write(kOrders, {{"a", std::to_string(i)}});
    log_->durability().when_durable(writer().last_commit(), [&told, i] { told.push_back(i); });
  }

  log_->step_sync();

  EXPECT_THAT(told, ElementsAre(0, 1, 2));
}

TEST_F(EmbeddedRecovery, WhatIsDurableAlreadyIsToldAtOnce) {
  write(kOrders, {{"a", "1"}});
  sync();
  bool told = false;

  log_->durability().when_durable(writer().last_commit(), [&] { told = true; });

  EXPECT_TRUE(told);
}

TEST_F(EmbeddedRecovery, AfterAFailedSyncNothingIsClaimedAndNothingTaken) {
  write(kOrders, {{"a", "1"}});
  const auto told = std::make_shared<bool>(false);  // The log, closing, still syncs and tells.
  log_->durability().when_durable(writer().last_commit(), [told] { *told = true; });
  storage_.fail_next(1, ErrorCode::kIo);

  log_->step_sync();

  EXPECT_FALSE(*told);
  EXPECT_LT(log_->durability().durable(), writer().last_commit());
  EXPECT_EQ(log_->status().error().code, ErrorCode::kIo);
  EXPECT_EQ(write(kOrders, {{"b", "2"}}), Kind::kAbortRequired);
  EXPECT_EQ(writer().abort(), Kind::kAborted);
  EXPECT_EQ(all_of(kOrders).size(), 1);
}

TEST_F(EmbeddedRecovery, AGoodSyncEndsTheTrouble) {
  write(kOrders, {{"a", "1"}});
  storage_.fail_next(1, ErrorCode::kIo);
  log_->step_sync();

  EXPECT_TRUE(log_->step_sync());

  EXPECT_TRUE(log_->status());
  EXPECT_EQ(write(kOrders, {{"b", "2"}}), Kind::kCommitted);
}

TEST_F(EmbeddedRecovery, AFullDiskAbortsTheTransactionAndLosesNothing) {
  order_and_position(1);
  storage_.fail_writes(ErrorCode::kNoSpace);

  EXPECT_EQ(order_and_position(2), Kind::kAbortRequired);
  EXPECT_EQ(writer().abort(), Kind::kAborted);
  EXPECT_EQ(all_of(kOrders).size(), 1);
  EXPECT_EQ(position(), 1);
  storage_.heal();

  EXPECT_EQ(order_and_position(2), Kind::kCommitted);
  EXPECT_EQ(all_of(kOrders).size(), 2);
  EXPECT_THAT(offsets_, ElementsAre(0, 1));
}

TEST_F(EmbeddedRecovery, TheErrorOfAFullDiskSaysSo) {
  storage_.fail_writes(ErrorCode::kNoSpace);
  writer()->begin();
  ASSERT_TRUE(writer().send(kOrders, {"k", "v"}));
  writer()->commit();

  const ProducerEvent event = writer().event();

  EXPECT_EQ(event.error.code, ErrorCode::kNoSpace);
  EXPECT_THAT(event.error.message, HasSubstr("space"));
}

TEST_F(EmbeddedRecovery, ThreadsSyncWithoutBeingAsked) {
  options_.background_threads = true;
  reopen();
  std::atomic<bool> told = false;
  write(kOrders, {{"a", "1"}});

  log_->durability().when_durable(writer().last_commit(), [&] {
    told = true;
    told.notify_all();
  });
  told.wait(false);

  EXPECT_GE(log_->durability().durable(), writer().last_commit());
  EXPECT_EQ(storage_.unsynced_batches(), 0);
}

// --- Reading from disk ------------------------------------------------------------------------

TEST_F(EmbeddedRecovery, WhatNoLongerFitsInMemoryIsReadFromDisk) {
  options_.tail_bytes = 0;
  reopen();
  std::vector<Written> records;
  for (int i = 0; i < 200; ++i) {
    records.push_back({"k" + std::to_string(i), std::string(100, 'x'), i, "h"});
    write(kOrders, {records.back()});
  }

  EXPECT_EQ(all_of(kOrders), records);
}

TEST_F(EmbeddedRecovery, AReaderCrossesFromDiskToMemoryWithoutAGap) {
  options_.tail_bytes = 20'000;
  reopen();
  Reader slow(*this, {});
  slow->assign(kOrders, 0, 0);
  std::vector<Written> records;
  std::vector<Written> seen;
  for (int i = 0; i < 500; ++i) {
    records.push_back({"k", std::to_string(i), i});
    write(kOrders, {records.back()});
    if (i % 50 != 0) continue;
    std::vector<RecordBatch> batches;
    slow->fetch(batches, 20);
    for (const auto& batch : batches) {
      for (const auto& r : batch.records) {
        seen.push_back({"k", std::string(*r.value), to_millis(r.timestamp)});
      }
    }
  }
  const auto rest = slow.read(33);
  seen.insert(seen.end(), rest.begin(), rest.end());

  EXPECT_EQ(seen, records);
}

TEST_F(EmbeddedRecovery, LargeTransactionsAndValuesComeBackWhole) {
  std::vector<Written> records;
  for (int i = 0; i < 20; ++i) {
    records.push_back({"k", std::string(100'000, static_cast<char>('a' + i)), i});
  }
  for (int i = 0; i < 10'000; ++i) records.push_back({std::to_string(i), "v", i});
  write(kOrders, records);

  reopen();

  EXPECT_EQ(all_of(kOrders), records);
}

TEST_F(EmbeddedRecovery, DamagedBytesAreAnErrorThatNamesThePlace) {
  write(kOrders, {{"a", "1"}});
  write(kOrders, {{"b", std::string(2'000, 'x')}});
  write(kOrders, {{"c", "3"}});
  const std::string key = internal::batch_key(1, 0, 1);
  std::string stored;
  ASSERT_TRUE(*storage_.journal().get(key, stored));
  for (std::size_t damaged = 0; damaged < stored.size(); damaged += 3) {
    std::string bytes = stored;
    bytes[damaged] = static_cast<char>(bytes[damaged] ^ 0x10);
    WriteBatch damage;
    damage.put(key, bytes);
    ASSERT_TRUE(storage_.journal().append(damage));
    reopen();
    Reader reader(*this, {});
    reader->assign(kOrders, 0, 0);

    const auto seen = reader.read();

    ASSERT_LE(seen.size(), 1) << "byte " << damaged;
    const ConsumerEvent event = reader.event();
    ASSERT_EQ(event.kind, ConsumerEvent::Kind::kFailed);
    ASSERT_EQ(event.error.code, ErrorCode::kCorrupt);
    ASSERT_THAT(event.error.message, HasSubstr("topic orders, partition 0, offset 1"));
  }
}

TEST_F(EmbeddedRecovery, ABatchThatIsCutShortIsAnErrorToo) {
  write(kOrders, {{"a", std::string(2'000, 'x')}});
  write(kOrders, {{"b", "2"}});
  const std::string key = internal::batch_key(1, 0, 0);
  std::string stored;
  ASSERT_TRUE(*storage_.journal().get(key, stored));
  for (std::size_t size = 0; size < stored.size(); ++size) {
    WriteBatch damage;
    damage.put(key, BytesView(stored).substr(0, size));
    ASSERT_TRUE(storage_.journal().append(damage));
    reopen();
    Reader reader(*this, {});
    reader->assign(kOrders, 0, 0);

    ASSERT_THAT(reader.read(), IsEmpty());
    ASSERT_EQ(reader.event().error.code, ErrorCode::kCorrupt);
  }
}

TEST_F(EmbeddedRecovery, ALogOfALaterFormatIsLeftAlone) {
  WriteBatch later;
  later.put(internal::meta_key("format"), internal::encode_number(1'000));
  ASSERT_TRUE(storage_.journal().append(later));
  shut();

  const auto opened = EmbeddedLog::open(storage_, clock_, options_);

  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("format 2"));
  WriteBatch back;
  back.put(internal::meta_key("format"), internal::encode_number(1));
  ASSERT_TRUE(storage_.journal().append(back));
}

// --- Many at once -----------------------------------------------------------------------------

TEST_F(EmbeddedRecovery, ManyWritersAndReadersAgreeOnOneOrder) {
  options_.background_threads = true;
  options_.tail_bytes = 50'000;
  options_.maintenance_interval = std::chrono::milliseconds(1);
  reopen();
  constexpr int kWriters = 3;
  constexpr int kCommits = 300;
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([this, w] {
      Writer own(*this, {.transactional_id = "writer-" + std::to_string(w)});
      own.init();
      for (int i = 0; i < kCommits; ++i) {
        own->begin();
        static_cast<void>(own.send(kOrders, {std::to_string(w), std::to_string(i)}));
        static_cast<void>(own.send(kPayments, {std::to_string(w), std::to_string(i)}));
        if (own.commit() != Kind::kCommitted) ADD_FAILURE();
      }
    });
  }
  std::vector<std::vector<Written>> seen(2);
  for (int r = 0; r < 2; ++r) {
    threads.emplace_back([this, &mine = seen[static_cast<std::size_t>(r)]] {
      Reader reader(*this, {});
      reader->assign(kOrders, 0, 0);
      while (mine.size() < kWriters * kCommits) {
        const auto more = reader.read(50);
        mine.insert(mine.end(), more.begin(), more.end());
      }
    });
  }
  for (auto& thread : threads) thread.join();

  EXPECT_EQ(seen[0], seen[1]);
  EXPECT_EQ(all_of(kPayments), seen[0]);
  std::map<std::string, int> next;
  for (const auto& record : seen[0]) EXPECT_EQ(std::stoi(*record.value), next[*record.key]++);
}

}  // namespace
}  // namespace thalweg::testing
