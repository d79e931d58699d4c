// A store that is read from its changelog while the log changes under the reader.

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/topology/streams_builder.h>

#include "simulation/process_story.h"

namespace thalweg::simulation {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Pair;
using ::testing::SizeIs;
using namespace std::chrono_literals;
using Text = std::string;

constexpr int kKeys = 40;
constexpr std::uint64_t kRecords = kKeys;
const TopicPartition kChangelog{"counter-counts-changelog", 0};

/// A restore as a listener was told of it.
struct Told {
  TopicPartition changelog;
  Text store;
  Offset from = 0;
  Offset end = 0;
  int batches = 0;
  std::uint64_t in_batches = 0;  ///< Records.
  Offset last = kNoOffset;
  std::optional<std::uint64_t> ended = {};
  std::optional<std::uint64_t> suspended = {};
};

class TellTale final : public StateRestoreListener {
 public:
  void on_restore_start(const TopicPartition& changelog, std::string_view store, Offset from,
                        Offset end) override {
    told.push_back({.changelog = changelog, .store = Text(store), .from = from, .end = end});
  }
  void on_batch_restored(const TopicPartition& changelog, std::string_view store, Offset last,
                         std::uint64_t records) override {
    Told& one = under_way(changelog, store);
    EXPECT_GT(records, 0u);
    EXPECT_GT(last, one.last);
    EXPECT_LT(last, one.end);
    ++one.batches;
    one.in_batches += records;
    one.last = last;
  }
  void on_restore_end(const TopicPartition& changelog, std::string_view store,
                      std::uint64_t records) override {
    under_way(changelog, store).ended = records;
  }
  void on_restore_suspended(const TopicPartition& changelog, std::string_view store,
                            std::uint64_t records) override {
    under_way(changelog, store).suspended = records;
  }

  std::vector<Told> told;

 private:
  Told& under_way(const TopicPartition& changelog, std::string_view store) {
    for (auto& one : told) {
      const bool is_over = one.ended || one.suspended;
      if (one.changelog == changelog && one.store == store && !is_over) return one;
    }
    ADD_FAILURE() << "told of a restore that is not under way";
    return stray_;
  }

  Told stray_;
};

class Thrower final : public StateRestoreListener {
 public:
  void on_restore_start(const TopicPartition&, std::string_view, Offset, Offset) override {
    ++thrown;
    throw std::runtime_error("start");
  }
  void on_batch_restored(const TopicPartition&, std::string_view, Offset, std::uint64_t) override {
    ++thrown;
    throw std::logic_error("batch");
  }
  void on_restore_end(const TopicPartition&, std::string_view, std::uint64_t) override {
    ++thrown;
    throw 1;
  }

  int thrown = 0;
};

class Restore : public ProcessStory {
 protected:
  Restore() {
    create_topics({"in"});
    begin_on(storage_);
    write_every_key("in", "x");
    rest();
    process_.reset();
    tell_tale_.told.clear();
  }

  void begin_on(SimulatedStorage& storage) {
    ApplicationSpec spec{simulation_config("counter", 1),
                         [] {
                           StreamsBuilder builder;
                           builder.stream<Text, Text>("in")
                               .group_by_key()
                               .count({.store = "counts"})
                               .to_stream()
                               .map_values([](const std::optional<std::int64_t>& count) {
                                 return std::to_string(count.value_or(0));
                               })
                               .to("out");
                           return builder.build();
                         },
                         listener_};
    start(std::move(spec), *log_, storage);
  }
  void begin_to_restore(SimulatedStorage& storage) {
    begin_on(storage);
    for (int i = 0; !process_->restoring(); ++i) {
      ASSERT_LT(i, 10'000) << "nothing was to be restored";
      round();
    }
    for (int i = 0; i < 5; ++i) round();  // Each reads two records at most.
    ASSERT_TRUE(process_->restoring());
  }

  /// A record for each of the keys.
  void write_every_key(const Text& topic, const Text& value) {
    std::vector<WrittenRecord> records;
    for (int key = 0; key < kKeys; ++key) records.push_back({value, std::to_string(key)});
    write_records(topic, records);
    rest();
  }
  /// The last count of each key.
  std::map<Text, Text> counts() {
    std::map<Text, Text> last;
    for (const auto& record : read_topic(*log_, clock_, "out")) last[*record.key] = *record.value;
    return last;
  }

  SimulatedStorage new_disk_;
  TellTale tell_tale_;
  StateRestoreListener* listener_ = &tell_tale_;
};

TEST_F(Restore, OnANewDiskEverythingIsRead) {
  begin_to_restore(new_disk_);
  rest();
  write_every_key("in", "x");
  EXPECT_THAT(counts(), AllOf(Contains(Pair("0", "2")), Contains(Pair("39", "2"))));
}

// Retention deletes the oldest of a window's changelog while it is read. The application ended.
TEST_F(Restore, WhatIsDeletedUnderTheReaderIsMissedAndNothingElse) {
  begin_to_restore(new_disk_);
  log_->delete_records(kChangelog, log_->range(kChangelog)->end - 5);  // A marker is among them.
  rest();
  EXPECT_TRUE(process_->running());

  write_every_key("in", "x");

  EXPECT_THAT(counts(), AllOf(Contains(Pair("0", "1")), Contains(Pair("39", "2"))));
}

// A spill that met a damaged block had the store replaced; a read that met it ended all.
TEST_F(Restore, AStoreFoundDamagedByAReadIsReadFromItsChangelog) {
  begin_on(storage_);
  rest();
  storage_.corrupt_family("counter/0_0/counts");

  write_every_key("in", "x");

  EXPECT_TRUE(process_->running());
  EXPECT_THAT(counts(), AllOf(Contains(Pair("0", "2")), Contains(Pair("39", "2"))));
}

TEST_F(Restore, IsToldFromItsStartToItsEnd) {
  begin_on(new_disk_);
  rest();

  ASSERT_THAT(tell_tale_.told, SizeIs(1));
  const Told& told = tell_tale_.told[0];
  EXPECT_EQ(told.changelog, kChangelog);
  EXPECT_EQ(told.store, "counts");
  EXPECT_EQ(told.from, 0);
  EXPECT_EQ(told.end, log_->range(kChangelog)->end);
  EXPECT_GE(told.batches, 2);
  EXPECT_EQ(told.in_batches, kRecords) << "markers are none";
  EXPECT_EQ(told.ended, kRecords);
  EXPECT_FALSE(told.suspended);
}

TEST_F(Restore, OfAStoreThatHasItAllIsToldWithoutARecord) {
  begin_on(storage_);
  rest();

  ASSERT_THAT(tell_tale_.told, SizeIs(1));
  const Told& told = tell_tale_.told[0];
  EXPECT_GE(told.from, kKeys);
  EXPECT_EQ(told.batches, 0);
  EXPECT_EQ(told.ended, 0u);
}

TEST_F(Restore, ThatAStopCutsShortIsToldAsSuspended) {
  begin_to_restore(new_disk_);
  process_->request_stop();
  rest();

  ASSERT_THAT(tell_tale_.told, SizeIs(1));
  const Told& told = tell_tale_.told[0];
  EXPECT_GT(told.in_batches, 0u);
  EXPECT_LT(told.in_batches, kRecords);
  EXPECT_EQ(told.suspended, told.in_batches);
  EXPECT_FALSE(told.ended);
}

TEST_F(Restore, ThatLosesItsRecordsIsToldAsSuspendedAndStartsAgain) {
  begin_to_restore(new_disk_);
  const Offset rest_of_it = log_->range(kChangelog)->end - 5;
  log_->delete_records(kChangelog, rest_of_it);
  rest();

  ASSERT_THAT(tell_tale_.told, SizeIs(2));
  const Told& first = tell_tale_.told[0];
  EXPECT_GT(first.in_batches, 0u);
  EXPECT_EQ(first.suspended, first.in_batches);
  EXPECT_FALSE(first.ended);
  const Told& second = tell_tale_.told[1];
  EXPECT_EQ(second.from, rest_of_it);
  EXPECT_GT(second.in_batches, 0u);
  EXPECT_EQ(second.ended, second.in_batches);
}

TEST_F(Restore, DoesNotHangOnAListenerThatThrows) {
  Thrower thrower;
  listener_ = &thrower;
  begin_on(new_disk_);
  rest();
  EXPECT_TRUE(process_->running());
  EXPECT_GE(thrower.thrown, 3);

  write_every_key("in", "x");

  EXPECT_THAT(counts(), AllOf(Contains(Pair("0", "2")), Contains(Pair("39", "2"))));
  process_.reset();
}

/// A global table, of which each of two workers has a copy.
class RestoreOfAGlobalTable : public Restore {
 protected:
  RestoreOfAGlobalTable() {
    log_->create_topic({.name = "orders", .partitions = 1});
    log_->create_topic({.name = "prices", .partitions = 2});
    log_->create_topic({.name = "priced", .partitions = 1});
    write_every_key("prices", "1");
  }
  void begin_pricing() {
    ApplicationSpec spec{simulation_config("pricing", 2),
                         [] {
                           StreamsBuilder builder;
                           auto prices =
                               builder.global_table<Text, Text>("prices", {}, {.store = "prices"});
                           builder.stream<Text, Text>("orders")
                               .join(
                                   prices, [](const Text&, const Text& product) { return product; },
                                   [](const Text&, const Text& price) { return price; })
                               .to("priced");
                           return builder.build();
                         },
                         listener_};
    start(std::move(spec), *log_, new_disk_);
  }
};

TEST_F(RestoreOfAGlobalTable, IsToldOnceOfEachPartition) {
  begin_pricing();
  rest();

  ASSERT_THAT(tell_tale_.told, SizeIs(2));
  const Told& full = tell_tale_.told[0];
  EXPECT_EQ(full.changelog, (TopicPartition{"prices", 0}));
  EXPECT_EQ(full.store, "prices");
  EXPECT_EQ(full.in_batches, kRecords);
  EXPECT_EQ(full.ended, kRecords);
  const Told& empty = tell_tale_.told[1];
  EXPECT_EQ(empty.changelog, (TopicPartition{"prices", 1}));
  EXPECT_EQ(empty.ended, 0u);
}

TEST_F(RestoreOfAGlobalTable, IsToldAsSuspendedWhenAStopCutsItShort) {
  begin_pricing();
  for (int i = 0; tell_tale_.told.empty() || tell_tale_.told[0].batches == 0; ++i) {
    ASSERT_LT(i, 10'000) << "nothing was to be restored";
    round();
  }
  process_->request_stop();
  rest();

  const Told& told = tell_tale_.told[0];
  EXPECT_FALSE(told.ended);
  EXPECT_EQ(told.suspended, told.in_batches);
}

/// A table that is its own changelog, and the sum of its rows.
class RestoreOfASource : public Restore {
 protected:
  void begin_sum_on(SimulatedStorage& storage) {
    ApplicationSpec spec{simulation_config("adder", 1), [] {
                           StreamsBuilder builder;
                           builder.table<Text, std::int64_t>("rows")
                               .group_by([](const Text&, const std::int64_t& row) {
                                 return std::pair(Text("all"), row);
                               })
                               .reduce([](std::int64_t sum, std::int64_t row) { return sum + row; },
                                       [](std::int64_t sum, std::int64_t row) { return sum - row; },
                                       {.store = "sum"})
                               .to_stream()
                               .to("sums");
                           return builder.build({.optimization = "all"});
                         }};
    start(std::move(spec), *log_, storage);
  }
  void write_row(std::int64_t row) {
    std::string bytes;
    Serde<std::int64_t>::serialize(row, bytes);
    write("rows", {bytes});
    rest();
  }
  std::int64_t sum() {
    std::int64_t sum = -1;
    for (const auto& record : read_topic(*log_, clock_, "sums")) {
      Serde<std::int64_t>::deserialize(*record.value, sum);
    }
    return sum;
  }
};

// The restored table had rows that the task was yet to process: they changed nothing then, and the
// sum kept what they replace for ever.
TEST_F(RestoreOfASource, EndsWhereTheTaskGoesOn) {
  create_topics({"rows", "sums"});
  begin_sum_on(storage_);
  rest();
  write_row(1);
  ASSERT_EQ(sum(), 1);
  process_.reset();
  write_row(2);

  begin_sum_on(new_disk_);
  rest();

  EXPECT_EQ(sum(), 2);
}

/// Records that cannot be read go to `in.dlq`.
class DeadLetters : public Restore {
 protected:
  void begin_reader() {
    StreamsConfig config = simulation_config("reader", 1);
    config.deserialization_handler = FailureHandling::kDeadLetter;
    config.dead_letter_topic = "{topic}.dlq";
    ApplicationSpec spec{std::move(config), [] {
                           StreamsBuilder builder;
                           builder.stream<Text, std::int64_t>("numbers").to("read-numbers");
                           return builder.build();
                         }};
    start(std::move(spec), *log_, new_disk_);
  }
};

// With nothing readable behind it, the transaction that held it stayed open until something else
// came, and a task that was given away meanwhile wrote it again elsewhere.
TEST_F(DeadLetters, AreCommittedThoughNothingIsProcessed) {
  create_topics({"numbers", "numbers.dlq", "read-numbers"});
  begin_reader();
  rest();
  write("numbers", {"no number"});
  rest();

  EXPECT_EQ(read_topic(*log_, clock_, "numbers.dlq").size(), 1u);
}

}  // namespace
}  // namespace thalweg::simulation
