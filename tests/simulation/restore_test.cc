// A store that is read from its changelog while the log changes under the reader.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/simulated_log.h>
#include <thalweg/topology/streams_builder.h>

#include "simulation/simulated_process.h"

namespace thalweg::simulation {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Pair;
using namespace std::chrono_literals;
using Text = std::string;

constexpr int kKeys = 40;
const TopicPartition kChangelog{"counter-counts-changelog", 0};

class Restore : public ::testing::Test {
 protected:
  Restore() {
    log_->create_topic({.name = "in", .partitions = 1});
    begin_on(disk_);
    write_every_key();
    rest();
    process_.reset();
  }

  void begin_on(SimulatedStorage& storage) {
    ApplicationSpec spec{simulation_config("counter", 1), [] {
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
                         }};
    process_ = std::make_unique<SimulatedProcess>(*log_, storage, clock_,
                                                  std::vector{std::move(spec)}, random_);
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

  void write_every_key() {
    auto client = log_->producer({.client_id = "test"});
    client->init();
    client->begin();
    for (int key = 0; key < kKeys; ++key) {
      ASSERT_TRUE(
          client->send(client->topic("in"), 0, std::to_string(key), "x", clock_.wall_clock(), {}));
    }
    client->commit();
    rest();
  }
  bool round() {
    const bool worked = log_->step();
    return (process_ && process_->step_all()) || worked;
  }
  void rest() {
    run_until_idle(clock_, [this] { return round(); });
  }
  /// The last count of each key.
  std::map<Text, Text> counts() {
    std::map<Text, Text> last;
    for (const auto& record : read_topic(*log_, clock_, "out")) last[*record.key] = *record.value;
    return last;
  }

  Random random_{1};
  ManualClock clock_{from_millis(1'700'000'000'000)};
  std::unique_ptr<SimulatedLog> log_ = make_simulated_log(clock_, {});
  SimulatedStorage disk_;
  SimulatedStorage new_disk_;
  std::unique_ptr<SimulatedProcess> process_;
};

TEST_F(Restore, OnANewDiskEverythingIsRead) {
  begin_to_restore(new_disk_);
  rest();
  write_every_key();
  EXPECT_THAT(counts(), AllOf(Contains(Pair("0", "2")), Contains(Pair("39", "2"))));
}

// Retention deletes the oldest of a window's changelog while it is read. The application ended.
TEST_F(Restore, WhatIsDeletedUnderTheReaderIsMissedAndNothingElse) {
  begin_to_restore(new_disk_);
  log_->delete_records(kChangelog, log_->range(kChangelog)->end - 5);  // A marker is among them.
  rest();
  EXPECT_TRUE(process_->running());

  write_every_key();

  EXPECT_THAT(counts(), AllOf(Contains(Pair("0", "1")), Contains(Pair("39", "2"))));
}

// A spill that met a damaged block had the store replaced; a read that met it ended all.
TEST_F(Restore, AStoreFoundDamagedByAReadIsReadFromItsChangelog) {
  begin_on(disk_);
  rest();
  disk_.corrupt_family("counter/0_0/counts");

  write_every_key();

  EXPECT_TRUE(process_->running());
  EXPECT_THAT(counts(), AllOf(Contains(Pair("0", "2")), Contains(Pair("39", "2"))));
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
    process_ = std::make_unique<SimulatedProcess>(*log_, storage, clock_,
                                                  std::vector{std::move(spec)}, random_);
  }
  void write_row(std::int64_t row) {
    std::string bytes;
    Serde<std::int64_t>::serialize(row, bytes);
    auto client = log_->producer({.client_id = "rows"});
    client->init();
    client->begin();
    ASSERT_TRUE(client->send(client->topic("rows"), 0, "k", bytes, clock_.wall_clock(), {}));
    client->commit();
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
  log_->create_topic({.name = "rows", .partitions = 1});
  log_->create_topic({.name = "sums", .partitions = 1});
  begin_sum_on(disk_);
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
    process_ = std::make_unique<SimulatedProcess>(*log_, new_disk_, clock_,
                                                  std::vector{std::move(spec)}, random_);
  }
};

// With nothing readable behind it, the transaction that held it stayed open until something else
// came, and a task that was given away meanwhile wrote it again elsewhere.
TEST_F(DeadLetters, AreCommittedThoughNothingIsProcessed) {
  for (const char* topic : {"numbers", "numbers.dlq", "read-numbers"}) {
    log_->create_topic({.name = topic, .partitions = 1});
  }
  begin_reader();
  rest();
  auto client = log_->producer({.client_id = "numbers"});
  client->init();
  client->begin();
  ASSERT_TRUE(client->send(client->topic("numbers"), 0, "k", "no number", clock_.wall_clock(), {}));
  client->commit();
  rest();

  EXPECT_EQ(read_topic(*log_, clock_, "numbers.dlq").size(), 1u);
}

}  // namespace
}  // namespace thalweg::simulation
