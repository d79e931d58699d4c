#include <deque>
#include <functional>
#include <limits>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/schemas/internal/crc32c.h>
#include <thalweg/state/simulated_storage.h>

#include "embedded/assignor.h"
#include "embedded/coding.h"
#include "embedded/journal_keys.h"
#include "embedded/log_batch.h"
#include "embedded/partition_log.h"
#include "kafka/join_gate.h"

// The parts of the logs that can be told alone.

namespace thalweg::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

// --- Who owns what ------------------------------------------------------------------------------

using Owned = std::map<TopicPartition, std::string>;

std::map<std::string, int> loads(const Owned& assignment) {
  std::map<std::string, int> counts;
  for (const auto& [partition, member] : assignment) ++counts[member];
  return counts;
}

TEST(Assignor, APartitionThatCanStayStays) {
  const Owned owned = {{{"t", 0}, "b"}, {{"t", 1}, "a"}, {{"t", 2}, "b"}, {{"t", 3}, "a"}};

  EXPECT_EQ(assign_partitions({{"a", {"t"}}, {"b", {"t"}}}, {{"t", 4}}, owned), owned);
}

TEST(Assignor, ManySmallTopicsAreSpreadToo) {
  const auto assignment =
      assign_partitions({{"a", {"t", "u", "v", "w"}}, {"b", {"t", "u", "v", "w"}}},
                        {{"t", 1}, {"u", 1}, {"v", 1}, {"w", 1}}, {});

  EXPECT_THAT(loads(assignment), ElementsAre(Pair("a", 2), Pair("b", 2)));
}

TEST(Assignor, OnlySubscribersGetATopic) {
  const auto assignment = assign_partitions({{"a", {"t"}}, {"b", {"u"}}}, {{"t", 2}, {"u", 1}}, {});

  EXPECT_THAT(loads(assignment), ElementsAre(Pair("a", 2), Pair("b", 1)));
}

TEST(Assignor, MoreMembersThanPartitionsLeavesSomeIdle) {
  const auto assignment =
      assign_partitions({{"a", {"t"}}, {"b", {"t"}}, {"c", {"t"}}}, {{"t", 2}}, {});

  EXPECT_THAT(loads(assignment), ElementsAre(Pair("a", 1), Pair("b", 1)));
}

TEST(Assignor, NobodyGetsNothing) { EXPECT_TRUE(assign_partitions({}, {{"t", 2}}, {}).empty()); }

TEST(Assignor, ANewcomerTakesOnlyItsShare) {
  const std::map<std::string, std::int32_t> topics = {{"t", 7}, {"u", 5}};
  const auto before = assign_partitions({{"a", {"t", "u"}}, {"b", {"t", "u"}}}, topics, {});

  const auto after =
      assign_partitions({{"a", {"t", "u"}}, {"b", {"t", "u"}}, {"c", {"t", "u"}}}, topics, before);

  int moved = 0;
  for (const auto& [partition, member] : after) moved += before.at(partition) != member ? 1 : 0;
  EXPECT_EQ(moved, loads(after)["c"]);
  EXPECT_EQ(loads(after)["c"], 4);
}

TEST(Assignor, WhoeverComesAndGoesTheSharesStayEven) {
  std::mt19937 random(7);
  std::vector<GroupMember> members;
  Owned owned;
  const std::map<std::string, std::int32_t> topics = {{"t", 7}, {"u", 3}, {"v", 1}, {"w", 1}};
  for (int round = 0; round < 200; ++round) {
    if (members.empty() || random() % 2 == 0) {
      members.push_back({"m" + std::to_string(round), {"t", "u", "v", "w"}});
    } else {
      members.erase(members.begin() + static_cast<std::ptrdiff_t>(random() % members.size()));
    }
    std::erase_if(owned, [&](const auto& entry) {
      return std::ranges::find(members, entry.second, &GroupMember::id) == members.end();
    });
    owned = assign_partitions(members, topics, owned);
    if (members.empty()) continue;

    ASSERT_EQ(owned.size(), 12);
    const auto counts = loads(owned);
    const int most = std::ranges::max_element(counts, {}, [](auto& c) { return c.second; })->second;
    ASSERT_LE(most, 12 / static_cast<int>(members.size()) + 1);
  }
}

// --- Batches ------------------------------------------------------------------------------------

LogBatch sample(std::size_t value_bytes) {
  LogBatchBuilder builder;
  builder.add("key", std::string(value_bytes, 'v'), from_millis(1'000), "headers");
  builder.add(std::nullopt, "", from_millis(900), "");
  builder.add("", std::nullopt, from_millis(-1), "");
  return *builder.take();
}

std::string stored(const LogBatch& batch, bool compress, Offset base) {
  std::string bytes;
  encode_batch(batch, compress, bytes);
  patch_base_offset(bytes, base);
  return bytes;
}

TEST(LogBatches, ReadBackWhatWasStored) {
  for (const bool compress : {false, true}) {
    for (const std::size_t size : {0U, 10U, 600U, 100'000U}) {
      const LogBatch batch = sample(size);

      const auto read = decode_batch(stored(batch, compress, 42), 42);

      ASSERT_TRUE(read) << read.error().message;
      EXPECT_EQ((*read)->body, batch.body);
      EXPECT_EQ((*read)->end(), 45);
      EXPECT_EQ((*read)->max_timestamp, 1'000);
      LogBatchReader reader(**read);
      RecordView record;
      ASSERT_TRUE(reader.next(record));
      EXPECT_EQ(record.offset, 42);
      EXPECT_EQ(record.headers, "headers");
      ASSERT_TRUE(reader.next(record));
      EXPECT_FALSE(record.key);
      EXPECT_EQ(record.value, "");
      ASSERT_TRUE(reader.next(record));
      EXPECT_EQ(record.key, "");
      EXPECT_FALSE(record.value);
      EXPECT_EQ(to_millis(record.timestamp), -1);
      EXPECT_FALSE(reader.next(record));
      EXPECT_TRUE(reader.intact());
    }
  }
}

TEST(LogBatches, CompressionIsUsedWhenItPays) {
  std::mt19937_64 random(1);
  LogBatchBuilder builder;
  std::string noise(4'096, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  builder.add("k", noise, from_millis(0), "");

  EXPECT_LT(stored(sample(10'000), true, 0).size(), 1'000);
  EXPECT_GT(stored(*builder.take(), true, 0).size(), 4'096);
}

TEST(LogBatches, NoBitMayChange) {
  const std::string good = stored(sample(700), true, 42);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(decode_batch(bad, 42)) << "bit " << bit;
  }
}

TEST(LogBatches, RandomBytesAreNeverReadAsRecords) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 2'000; ++round) {
    LogBatch batch;
    batch.count = 1'000;
    batch.body.resize(random() % 300);
    for (char& c : batch.body) c = static_cast<char>(random());
    LogBatchReader reader(batch);
    RecordView record;
    std::size_t bytes = 0;
    while (reader.next(record))
      bytes += record.headers.size() + (record.key ? record.key->size() : 0);
    ASSERT_LE(bytes, batch.body.size());
    ASSERT_FALSE(reader.intact());
  }
}

// --- Keys and numbers ---------------------------------------------------------------------------

TEST(JournalKeys, BatchesOfAPartitionLieInOrder) {
  EXPECT_LT(batch_key(1, 2, 255), batch_key(1, 2, 256));
  EXPECT_LT(batch_key(1, 2, std::numeric_limits<Offset>::max()), batch_key(1, 3, 0));
  EXPECT_LT(batch_key(1, 1'000, 0), batch_key(2, 0, 0));
  EXPECT_EQ(base_of_batch_key(batch_key(7, 3, 123'456'789'012)), 123'456'789'012);
}

TEST(JournalKeys, AnOffsetsKeyTellsGroupTopicAndPartition) {
  const auto key = decode_offset_key(offset_key("shop", 513, 7));

  ASSERT_TRUE(key);
  EXPECT_EQ(key->group, "shop");
  EXPECT_EQ(key->topic, 513);
  EXPECT_EQ(key->partition, 7);
}

TEST(JournalKeys, ValuesThatAreCutShortAreErrors) {
  const std::string topic = encode_topic({.name = "orders", .partitions = 3});
  for (std::size_t size = 0; size < topic.size(); ++size) {
    ASSERT_EQ(decode_topic(BytesView(topic).substr(0, size)).error().code, ErrorCode::kCorrupt);
  }
  EXPECT_FALSE(decode_partition("short"));
  EXPECT_FALSE(decode_offset("short"));
  EXPECT_FALSE(decode_number("short"));
  EXPECT_FALSE(decode_offset_key("o"));
}

TEST(JoinGate, OpensForAllOnceEveryoneExpectedHasCome) {
  JoinGate gate;
  for (int round = 0; round < 2; ++round) {
    gate.expect();
    gate.expect();
    bool other_went = false;
    std::thread other([&] { other_went = gate.come(); });
    EXPECT_TRUE(gate.come());
    other.join();
    EXPECT_TRUE(other_went);
  }
}

TEST(JoinGate, KeepsNobodyWhoComesAlone) {
  JoinGate gate;
  gate.expect();

  EXPECT_TRUE(gate.come());
}

TEST(Crc32c, IsTheKnownOne) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283);
  EXPECT_EQ(crc32c(""), 0);
}

TEST(Varints, EndWhereTheyShould) {
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, ~std::uint64_t{0}}) {
    char bytes[10];
    const char* const end = write_varint(bytes, value);
    const char* at = bytes;
    std::uint64_t read = 0;
    ASSERT_TRUE(read_varint(at, end, read));
    EXPECT_EQ(read, value);
    EXPECT_EQ(at, end);
    at = bytes;
    EXPECT_FALSE(read_varint(at, end - 1, read));
  }
}

// --- A partition --------------------------------------------------------------------------------

/// A journal beside which something happens while it is read.
class BusyJournal final : public Journal {
 public:
  explicit BusyJournal(Journal& inner) : inner_(inner) {}

  Status append(const WriteBatch& batch) override { return inner_.append(batch); }
  Status sync() override { return inner_.sync(); }
  Status reclaim() override { return inner_.reclaim(); }
  Result<bool> get(BytesView key, std::string& value) const override {
    return inner_.get(key, value);
  }
  std::unique_ptr<StorageCursor> scan(BytesView from, BytesView to) const override {
    auto cursor = inner_.scan(from, to);
    if (meanwhile) meanwhile();
    return cursor;
  }

  std::function<void()> meanwhile;

 private:
  Journal& inner_;
};

TEST(PartitionLog, AReaderInACompactedGapFindsTheTailThatIsEvictedMeanwhile) {
  SimulatedStorage storage;
  BusyJournal journal(storage.journal());
  PartitionLog partition({"stock", 0}, 1, journal);
  LogBatchBuilder builder;
  builder.add("shoe", "5", from_millis(1), {});
  const auto batch = builder.take();
  batch->base = 5;  // What was before it was compacted away.
  std::string stored;
  encode_batch(*batch, false, stored);
  patch_base_offset(stored, 5);
  WriteBatch write;
  write.put(partition.key_of(5), stored);
  ASSERT_TRUE(journal.append(write));
  Wakeups wakeups;
  partition.publish({batch}, wakeups);
  journal.meanwhile = [&] { partition.evict(5); };

  std::deque<BatchPtr> found;
  const auto status = partition.read(0, 100, found);

  ASSERT_TRUE(status) << status.error().message;
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front()->base, 5);
}

}  // namespace
}  // namespace thalweg::internal
