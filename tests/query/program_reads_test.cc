// What a program reads of stores in the types of the topology, wherever their rows lie.

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include <thalweg/runtime/read_only_window_store.h>
#include <thalweg/topology/kgrouped_stream.h>
#include <thalweg/topology/kstream.h>
#include <thalweg/topology/ktable.h>
#include <thalweg/topology/streams_builder.h>
#include <thalweg/topology/time_windowed_kstream.h>
#include <thalweg/topology/windowed_serdes.h>

#include "query/query_story.h"

namespace thalweg::testing {
namespace {

using ::testing::IsEmpty;
using namespace std::chrono_literals;

using Text = std::string;
using Number = std::int64_t;
using Keys = AnySerde<Windowed<Text>>;

constexpr std::int32_t kPartitions = 3;

Windowed<Text> second_of(const Text& key, std::int64_t number) {
  return {key, {from_millis(number * 1'000), from_millis((number + 1) * 1'000)}};
}

Keys time_windowed() { return Keys(TimeWindowedSerde<Text>(AnySerde<Text>(), 1s)); }
Keys session_windowed() { return Keys(SessionWindowedSerde<Text>(AnySerde<Text>())); }

// --- Stores that the test fills
// --------------------------------------------------------------------------------------

class ProgramReads : public QueryStory {
 protected:
  template <typename K>
  ReadOnlyKeyValueStore<K, Number> rows(AnySerde<K> keys = {}) {
    return {*shop_->views("rows"), std::move(keys), AnySerde<Number>()};
  }
  /// One of the seconds of `key` that hash to another partition than the key itself.
  Windowed<Text> astray(const Keys& keys, const Text& key) {
    for (std::int64_t second = 0;; ++second) {
      auto found = second_of(key, second);
      if (partition_of(bytes_of(keys, found), kPartitions) != home(key)) return found;
    }
  }
  static std::string bytes_of(const Keys& keys, const Windowed<Text>& key) {
    std::string bytes;
    keys.serialize(key, bytes);
    return bytes;
  }
  static std::int32_t home(const Text& key) { return partition_of(key, kPartitions); }
  static std::int32_t elsewhere(const Text& key) { return (home(key) + 1) % kPartitions; }
};

TEST_F(ProgramReads, AWindowedKeyIsReadWhereTheKeyWithinIs) {
  for (const Keys& keys : {time_windowed(), session_windowed()}) {
    shop_->add_store<Bytes, Number>("rows", kPartitions);
    const auto key = astray(keys, "ann");
    shop_->put_into<Bytes, Number>("rows", home("ann"), Bytes{bytes_of(keys, key)}, 7);
    for (std::int32_t i = 0; i < kPartitions; ++i) {
      if (i != home("ann")) shop_->lose("rows", static_cast<std::size_t>(i));
    }

    const auto row = rows(keys).get(key);

    ASSERT_TRUE(row) << row.error().message;
    ASSERT_TRUE(*row);
    EXPECT_EQ((*row)->value, 7);
    shop_ = &second_application("next");
  }
}

TEST_F(ProgramReads, AWindowedKeyThatWasGroupedByIsReadWhereTheWholeIs) {
  const auto keys = time_windowed();
  shop_->add_store<Bytes, Number>("rows", kPartitions);
  const auto key = astray(keys, "ann");
  shop_->put<Bytes, Number>("rows", Bytes{bytes_of(keys, key)}, 7);

  const auto row = rows(keys).get(key);

  ASSERT_TRUE(row) << row.error().message;
  ASSERT_TRUE(*row);
  EXPECT_EQ((*row)->value, 7);
  EXPECT_FALSE(rows(keys).get(second_of("bob", 1)).value());
}

TEST_F(ProgramReads, WhatLiesElsewhereThanItsKeySaysIsFoundWhereAllAreAsked) {
  shop_->add_store<Text, Number>("rows", kPartitions);
  shop_->put_into<Text, Number>("rows", elsewhere("ann"), "ann", 7);
  shop_->show_commit("rows", static_cast<std::size_t>(elsewhere("ann")), 9);
  const auto read = rows<Text>();

  EXPECT_FALSE(read.get("ann").value());
  EXPECT_EQ(read.last_commit(), 0u);
  const auto row = read.find_in_all("ann").value();

  ASSERT_TRUE(row);
  EXPECT_EQ(row->value, 7);
  EXPECT_EQ(row->timestamp, from_millis(1'000));
  EXPECT_EQ(read.last_commit(), 9u);
}

TEST_F(ProgramReads, ThatARowIsNowhereIsSaidOnlyOfPartitionsThatAnswered) {
  shop_->add_store<Text, Number>("rows", kPartitions);
  shop_->put_into<Text, Number>("rows", 2, "ann", 7);
  const auto whole = rows<Text>();
  EXPECT_FALSE(whole.find_in_all("bob").value());
  shop_->lose("rows", 0);
  const auto part = rows<Text>();

  EXPECT_EQ(part.find_in_all("ann").value()->value, 7);
  const auto unknown = part.find_in_all("bob");

  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kUnavailable);
}

TEST_F(ProgramReads, WindowsThatLieElsewhereAreFetchedWhereAllAreAsked) {
  shop_->add_windows<Text, Number>("rows", StateStore::Kind::kWindow, kPartitions);
  shop_->put_window_into<Text, Number>("rows", elsewhere("ann"), "ann", second_of("ann", 2).window,
                                       7);
  const ReadOnlyWindowStore<Text, Number> windows(*shop_->views("rows"), {}, {});

  EXPECT_THAT(windows.fetch("ann").value(), IsEmpty());
  const auto found = windows.fetch_in_all("ann").value();

  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.front().value, 7);
  EXPECT_THAT(windows.fetch_in_all("ann", {.to = from_millis(1'999)}).value(), IsEmpty());
  shop_->lose("rows", static_cast<std::size_t>(home("ann")));
  const ReadOnlyWindowStore<Text, Number> part(*shop_->views("rows"), {}, {});
  EXPECT_EQ(part.fetch_in_all("ann").value().size(), 1u);
  EXPECT_EQ(part.fetch_in_all("bob").error().code, ErrorCode::kUnavailable);
}

// --- Stores of a topology that runs
// --------------------------------------------------------------------------------------

class ReadsOfARunningTopology : public ::testing::Test {
 protected:
  ReadsOfARunningTopology() {
    EXPECT_TRUE(log_->create_topic({.name = "visits", .partitions = kPartitions}));
  }
  ~ReadsOfARunningTopology() override {
    producer_.close();
    if (application_) application_->close();
  }

  KGroupedStream<Text, Number> visits() {
    return builder_.stream<Text, Number>("visits").group_by_key();
  }
  /// Starts, and waits until each task has processed something.
  void run() {
    StreamsConfig config;
    config.application_id = "visitors";
    config.client_id = "visitors";
    application_ = std::make_unique<StreamsApplication>(
        builder_.build(), config,
        Environment{log_.get(), &storage_, &system_clock(), &budget_, &metrics_});
    const auto started = application_->start();
    ASSERT_TRUE(started) << started.error().message;
    for (std::int32_t i = 0; i < kPartitions; ++i) visited("somebody", 0, i);
  }
  /// Writes a visit, to the partition if one is given, and waits until it is processed.
  void visited(const Text& visitor, std::int64_t time,
               std::optional<std::int32_t> partition = std::nullopt) {
    std::string value;
    Serde<Number>::serialize(1, value);
    std::promise<Result<AsyncProducer::Sent>> written;
    producer_.send(
        "visits", visitor, value, from_millis(time), {},
        [&](Result<AsyncProducer::Sent> sent) { written.set_value(std::move(sent)); }, partition);
    const auto sent = written.get_future().get();
    ASSERT_TRUE(sent) << sent.error().message;
    const auto processed = std::make_shared<std::promise<void>>();
    application_->when_processed(sent->partition, sent->offset,
                                 [processed] { processed->set_value(); });
    processed->get_future().get();
  }

  SimulatedStorage storage_;
  MemoryBudget budget_{64u << 20};
  MetricsRegistry metrics_;
  std::unique_ptr<EmbeddedLog> log_ = EmbeddedLog::open(storage_, system_clock()).value();
  AsyncProducer producer_{*log_, "test"};
  StreamsBuilder builder_;
  std::unique_ptr<StreamsApplication> application_;
};

TEST_F(ReadsOfARunningTopology, RowsOfATableOfWindowsAreFoundByTheirWindowedKeys) {
  visits()
      .windowed_by(TimeWindows::of_size_with_no_grace(1s))
      .count()
      .filter([](const Windowed<Text>&, Number n) { return n > 0; }, {.store = "kept"});
  run();
  for (int i = 0; i < 10; ++i) visited("visitor-" + std::to_string(i), 5'000);
  const auto kept = application_->store<Windowed<Text>, Number>("kept", time_windowed());
  ASSERT_TRUE(kept) << kept.error().message;

  for (int i = 0; i < 10; ++i) {
    const auto row = kept->get(second_of("visitor-" + std::to_string(i), 5));
    ASSERT_TRUE(row) << row.error().message;
    ASSERT_TRUE(*row) << "visitor " << i;
    EXPECT_EQ((*row)->value, 1);
  }
  EXPECT_FALSE(kept->get(second_of("visitor-1", 6)).value());
}

TEST_F(ReadsOfARunningTopology, RowsOfATopicThatIsSpreadInAnotherWayAreFoundInAll) {
  visits().count({.store = "counts"});
  run();
  visited("ann", 5'000, (partition_of("ann", kPartitions) + 1) % kPartitions);
  const auto counts = application_->store<Text, Number>("counts");
  ASSERT_TRUE(counts) << counts.error().message;

  EXPECT_FALSE(counts->get("ann").value());
  EXPECT_EQ(counts->find_in_all("ann").value()->value, 1);
}

TEST_F(ReadsOfARunningTopology, OnlyACacheShowsWindowsThatHaveExpired) {
  const auto grouped = visits();
  for (const bool caching : {false, true}) {
    grouped.windowed_by(TimeWindows::of_size_with_no_grace(10ms))
        .count({.store = caching ? "cached" : "plain", .caching = caching, .retention = 100ms});
  }
  run();
  visited("ann", 40);
  visited("ann", 900);
  visited("ann", 1'000);
  const auto starts = [&](const char* store) {
    std::vector<std::int64_t> found;
    const auto windows = window_store<Text, Number>(*application_, store).value().fetch("ann");
    for (const auto& window : windows.value()) found.push_back(to_millis(window.window.start));
    return found;
  };

  EXPECT_THAT(starts("plain"), ::testing::ElementsAre(1'000));
  EXPECT_THAT(starts("cached"), ::testing::ElementsAre(40, 900, 1'000));
}

}  // namespace
}  // namespace thalweg::testing
