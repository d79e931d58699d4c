// Which of a task's queues is next, and what offset it could commit.

#include "partition_group.h"

#include <map>
#include <span>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/topology/errors.h>

namespace thalweg::internal {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A source whose records are text; "bad" cannot be read, "drop" is dropped.
class TextSource final : public SourceNode {
 public:
  TextSource() : SourceNode("source") {}
  void add_child(ProcessorNode&) override {}
  std::unique_ptr<SourceInput> open_input(TaskContext&) override {
    return std::make_unique<Input>(*this);
  }

  std::vector<std::string> processed;
  bool is_curious = false;
  std::vector<std::vector<std::string>> announced;

 private:
  struct Input final : SourceInput {
    explicit Input(TextSource& owner) : source(owner) {}
    bool prepare(const RecordView& record, const RecordMetadata&, Timestamp) override {
      if (*record.value == "bad") throw SerdeError("bad text");
      text = *record.value;
      time = record.timestamp;
      return text != "drop";
    }
    Timestamp timestamp() const override { return time; }
    void process() override { source.processed.push_back(text); }
    bool expects() const override { return source.is_curious; }
    void expect(std::span<const RecordView> records) override {
      auto& texts = source.announced.emplace_back();
      for (const RecordView& record : records) {
        if (*record.value == "bad") throw SerdeError("bad text");
        texts.emplace_back(*record.value);
      }
    }
    TextSource& source;
    std::string text;
    Timestamp time = kNoTimestamp;
  };
};

class NoTask final : public TaskContext {
 public:
  std::string_view application_id() const override { return "app"; }
  TaskId task_id() const override { return {}; }
  StateStore& store(std::string_view) override { throw TopologyError("no stores here"); }
  RecordCollector& collector() override { throw TopologyError("no output here"); }
  std::string topic_name(std::string_view name, bool) const override { return std::string(name); }
  Timestamp stream_time() const override { return kNoTimestamp; }
  Timestamp wall_clock_time() const override { return kNoTimestamp; }
  const RecordMetadata& metadata() const override { return metadata_; }
  Cancellable schedule(std::chrono::milliseconds, PunctuationType, std::string_view,
                       Punctuator) override {
    return {};
  }
  void request_commit() override {}
  void dropped(std::string_view, std::string_view reason) override { reasons.emplace_back(reason); }

  std::vector<std::string> reasons;

 private:
  RecordMetadata metadata_;
};

constexpr std::chrono::milliseconds kNoIdling(0);

class Queues : public ::testing::Test {
 protected:
  void with_inputs(std::vector<std::string> topics) {
    for (auto& topic : topics) {
      group_.add_queue(std::make_unique<RecordQueue>(
          TopicPartition{topic, 0}, source_, task_, 0, kNoTimestamp,
          [this](const RecordView& record, const RecordMetadata&, const SerdeError&) {
            bad_.push_back(record.offset);
          }));
    }
  }
  // Adds a batch to an input: text and time of each record, then the position after the batch.
  void arrives(std::size_t input, std::vector<std::pair<std::string, std::int64_t>> records,
               Offset control_records = 0, Offset left_in_the_log = 0) {
    auto texts = std::make_shared<std::vector<std::string>>();
    texts->reserve(records.size());
    RecordBatch batch;
    for (const auto& [text, time] : records) {
      texts->push_back(text);
      batch.records.push_back(
          {.offset = next_[input]++, .timestamp = from_millis(time), .value = texts->back()});
    }
    next_[input] += control_records;
    batch.next = next_[input];
    batch.end = batch.next + left_in_the_log;
    batch.memory = texts;
    group_.add_records(input, std::move(batch));
  }
  // Adds records that did not come through the log.
  void hop(std::size_t input, std::vector<std::pair<std::string, std::int64_t>> records) {
    auto texts = std::make_shared<std::vector<std::string>>();
    texts->reserve(records.size());
    RecordBatch batch;
    for (const auto& [text, time] : records) {
      texts->push_back(text);
      batch.records.push_back({.timestamp = from_millis(time), .value = texts->back()});
    }
    batch.memory = texts;
    group_.add_hops(input, std::move(batch));
  }
  std::vector<std::string> take_back(std::size_t input) {
    std::vector<std::string> texts;
    for (const RecordBatch& batch : group_.take_back(input)) {
      for (const RecordView& record : batch.records) texts.emplace_back(*record.value);
    }
    return texts;
  }
  void is_read_to_its_end(std::size_t input) { arrives(input, {}); }
  std::vector<std::string> process_all() {
    while (!group_.empty()) process_one();
    return std::exchange(source_.processed, {});
  }
  void process_one() {
    if (!group_.next().head_stands_in()) group_.next().process_head();
    group_.pop_next();
  }

  TextSource source_;
  NoTask task_;
  PartitionGroup group_;
  std::map<std::size_t, Offset> next_;
  std::vector<Offset> bad_;
};

TEST_F(Queues, AreTakenByTheLowestTimestampOfTheirHeads) {
  with_inputs({"left", "right"});

  arrives(0, {{"l1", 1}, {"l5", 5}, {"l6", 6}});
  arrives(1, {{"r2", 2}, {"r3", 3}, {"r9", 9}});

  EXPECT_THAT(process_all(), ElementsAre("l1", "r2", "r3", "l5", "l6", "r9"));
}

// A record's bytes and what is known of its key are far away in memory: sixteen are waited for at
// the same time.
TEST_F(Queues, AnnounceRecordsInGroupsAsTheFirstOfEachComes) {
  source_.is_curious = true;
  with_inputs({"only"});
  std::vector<std::pair<std::string, std::int64_t>> records;
  for (int i = 0; i < 40; ++i) records.emplace_back(std::to_string(i), i);

  arrives(0, records);
  ASSERT_THAT(source_.announced, ElementsAre(SizeIs(16)));
  EXPECT_THAT(source_.announced[0], AllOf(Contains("0"), Contains("15")));
  for (int i = 0; i < 16; ++i) process_one();
  ASSERT_THAT(source_.announced, ElementsAre(SizeIs(16), SizeIs(16)));
  EXPECT_THAT(process_all(), SizeIs(40));
  ASSERT_THAT(source_.announced, ElementsAre(SizeIs(16), SizeIs(16), SizeIs(8)));
  EXPECT_EQ(source_.announced[2].back(), "39");
}

TEST_F(Queues, AnnounceNothingToWhomIsNotCurious) {
  with_inputs({"only"});

  arrives(0, {{"a", 1}, {"b", 2}});

  EXPECT_THAT(process_all(), ElementsAre("a", "b"));
  EXPECT_THAT(source_.announced, IsEmpty());
}

TEST_F(Queues, TellOfABadRecordOnceAlthoughItWasAnnouncedToo) {
  source_.is_curious = true;
  with_inputs({"only"});

  arrives(0, {{"a", 1}, {"bad", 2}, {"c", 3}});

  EXPECT_THAT(process_all(), ElementsAre("a", "c"));
  EXPECT_THAT(bad_, ElementsAre(1));
}

TEST_F(Queues, KeepTheOrderOfTheLogWithinAPartition) {
  with_inputs({"only"});

  arrives(0, {{"late", 9}, {"early", 1}});

  EXPECT_THAT(process_all(), ElementsAre("late", "early"));
  EXPECT_EQ(group_.queue(0).partition_time(), from_millis(9));
}

TEST_F(Queues, LetWhatWasDroppedStandInForAHeadWhereNothingIsBehindIt) {
  with_inputs({"left", "right"});

  arrives(0, {{"drop", 1}});
  EXPECT_FALSE(group_.empty());
  EXPECT_EQ(group_.queue(0).position(), 1);  // It need not be read again.
  arrives(0, {{"l5", 5}});
  arrives(1, {{"r5", 5}});

  // What stands in is taken first, so the right queue has waited longer than the left one's l5.
  EXPECT_THAT(process_all(), ElementsAre("r5", "l5"));
}

TEST_F(Queues, SkipWhatCannotBeReadAndWhatIsDropped) {
  with_inputs({"only"});

  arrives(0, {{"bad", 1}, {"a", 2}, {"drop", 3}, {"b", 4}, {"bad", 5}});

  EXPECT_THAT(process_all(), ElementsAre("a", "b"));
  EXPECT_THAT(bad_, ElementsAre(0, 4));
  EXPECT_EQ(group_.queue(0).position(), 5);
}

TEST_F(Queues, CommitNothingForRecordsThatDidNotComeThroughTheLog) {
  with_inputs({"only"});

  arrives(0, {{"a", 1}});
  hop(0, {{"h", 2}, {"bad", 3}, {"drop", 4}});
  arrives(0, {{"b", 5}});
  EXPECT_EQ(group_.buffered(), 2);
  EXPECT_EQ(group_.hops(), 3);
  process_one();
  EXPECT_EQ(group_.queue(0).position(), 1) << "of b, although h is next";
  process_one();

  EXPECT_EQ(group_.hops(), 0);
  EXPECT_EQ(group_.queue(0).position(), 1);
  EXPECT_EQ(group_.queue(0).partition_time(), from_millis(2));
  EXPECT_THAT(process_all(), ElementsAre("a", "h", "b"));
  EXPECT_EQ(group_.queue(0).position(), 2);
  EXPECT_THAT(bad_, ElementsAre(kNoOffset));
}

TEST_F(Queues, GiveBackWhatDidNotComeThroughTheLogAndIsNotProcessed) {
  with_inputs({"left", "right"});
  hop(0, {{"h1", 1}, {"h2", 2}, {"h3", 3}});
  arrives(0, {{"l5", 5}});
  hop(0, {{"h6", 6}});
  arrives(1, {{"r4", 4}});
  process_one();

  EXPECT_THAT(take_back(0), ElementsAre("h2", "h3", "h6"));
  EXPECT_THAT(take_back(0), IsEmpty());
  EXPECT_EQ(group_.hops(), 0);
  EXPECT_EQ(group_.queue(0).position(), 0);
  EXPECT_THAT(process_all(), ElementsAre("h1", "r4", "l5"));
}

TEST_F(Queues, AreEmptyWhenAllTheyHaveIsGivenBack) {
  with_inputs({"only"});
  arrives(0, {{"a", 1}});
  hop(0, {{"h", 2}});
  process_one();

  EXPECT_THAT(take_back(0), ElementsAre("h"));
  EXPECT_TRUE(group_.empty());
  EXPECT_EQ(group_.queue(0).position(), 1);
  arrives(0, {{"b", 3}});
  EXPECT_THAT(process_all(), ElementsAre("a", "b"));
}

TEST_F(Queues, WaitForAnEmptyOneUntilItsEndIsKnown) {
  with_inputs({"left", "right"});
  arrives(0, {{"l1", 1}});

  EXPECT_FALSE(group_.ready(from_millis(100), kNoIdling)) << "nothing is known of the other one";
  is_read_to_its_end(1);
  EXPECT_TRUE(group_.ready(from_millis(100), kNoIdling));
  EXPECT_EQ(group_.enforced(), 1);
}

TEST_F(Queues, WaitForAnEmptyOneThatTheLogHasMoreFor) {
  with_inputs({"left", "right"});
  arrives(0, {{"l1", 1}, {"l4", 4}});
  arrives(1, {{"r2", 2}}, /*control_records=*/0, /*left_in_the_log=*/1);

  EXPECT_TRUE(group_.ready(from_millis(100), kNoIdling));
  process_one();
  process_one();
  EXPECT_EQ(group_.lag(), 1);
  EXPECT_FALSE(group_.ready(from_millis(100), kNoIdling));
  arrives(1, {{"r3", 3}});

  EXPECT_EQ(group_.lag(), 0);
  EXPECT_TRUE(group_.ready(from_millis(100), kNoIdling));
  EXPECT_THAT(process_all(), ElementsAre("l1", "r2", "r3", "l4"));
  EXPECT_EQ(group_.enforced(), 0);
}

TEST_F(Queues, BeginToIdleOnceTheEmptyOneIsReadToItsEnd) {
  constexpr std::chrono::milliseconds kIdle(10);
  with_inputs({"left", "right"});
  arrives(0, {{"l1", 1}});

  EXPECT_FALSE(group_.ready(from_millis(100), kIdle));
  EXPECT_FALSE(group_.ready(from_millis(110), kIdle));
  is_read_to_its_end(1);
  EXPECT_FALSE(group_.ready(from_millis(115), kIdle));
  EXPECT_FALSE(group_.ready(from_millis(124), kIdle));
  EXPECT_TRUE(group_.ready(from_millis(125), kIdle));
}

TEST_F(Queues, WaitForNothingWhenIdlingIsDisabled) {
  with_inputs({"left", "right"});
  arrives(0, {{"l1", 1}});

  EXPECT_TRUE(group_.ready(from_millis(100), std::chrono::milliseconds(-1)));
  EXPECT_EQ(group_.enforced(), 0);
}

TEST_F(Queues, WaitForAnEmptyOneFromWhenItIsFoundEmpty) {
  constexpr std::chrono::milliseconds kIdle(10);
  with_inputs({"left", "right"});
  is_read_to_its_end(1);
  arrives(0, {{"l1", 1}, {"l2", 2}});

  EXPECT_FALSE(group_.ready(from_millis(100), kIdle));
  EXPECT_FALSE(group_.ready(from_millis(109), kIdle));
  arrives(1, {{"r1", 1}});
  EXPECT_TRUE(group_.ready(from_millis(109), kIdle)) << "both have records";
  process_one();
  process_one();
  EXPECT_FALSE(group_.ready(from_millis(110), kIdle)) << "the wait has begun anew";
  EXPECT_TRUE(group_.ready(from_millis(120), kIdle));
}

TEST_F(Queues, HaveWaitedEnoughIfAllWereEmptyForSoLong) {
  constexpr std::chrono::milliseconds kIdle(10);
  with_inputs({"left", "right"});
  is_read_to_its_end(0);
  is_read_to_its_end(1);

  EXPECT_FALSE(group_.ready(from_millis(100), kIdle));
  EXPECT_FALSE(group_.ready(from_millis(110), kIdle)) << "the wait for the right one begins";
  EXPECT_FALSE(group_.ready(from_millis(120), kIdle)) << "there is nothing to process";
  EXPECT_EQ(group_.enforced(), 0);
  arrives(0, {{"l1", 1}});

  EXPECT_TRUE(group_.ready(from_millis(120), kIdle));
  EXPECT_EQ(group_.enforced(), 1);
  process_one();
  EXPECT_FALSE(group_.ready(from_millis(121), kIdle));
  arrives(0, {{"l2", 2}});
  EXPECT_TRUE(group_.ready(from_millis(122), kIdle)) << "the right one is as empty as before";
}

TEST_F(Queues, CountNoTimeInWhichTheLogHasMoreForAnEmptyOne) {
  constexpr std::chrono::milliseconds kIdle(10);
  with_inputs({"left", "right"});
  is_read_to_its_end(0);
  is_read_to_its_end(1);
  EXPECT_FALSE(group_.ready(from_millis(100), kIdle));
  EXPECT_FALSE(group_.ready(from_millis(110), kIdle));
  arrives(1, {}, /*control_records=*/0, /*left_in_the_log=*/1);
  EXPECT_FALSE(group_.ready(from_millis(115), kIdle));
  arrives(1, {}, /*control_records=*/1);

  arrives(0, {{"l1", 1}});

  EXPECT_FALSE(group_.ready(from_millis(120), kIdle));
  EXPECT_FALSE(group_.ready(from_millis(129), kIdle));
  EXPECT_TRUE(group_.ready(from_millis(130), kIdle));
}

TEST_F(Queues, AreNeverReadyWhileAllAreEmpty) {
  with_inputs({"left", "right"});
  EXPECT_FALSE(group_.ready(from_millis(100), std::chrono::milliseconds(-1)));
  is_read_to_its_end(0);
  is_read_to_its_end(1);
  EXPECT_FALSE(group_.ready(from_millis(100), kNoIdling));
}

TEST_F(Queues, WaitForSeveralEmptyOnesOneAfterTheOther) {
  constexpr std::chrono::milliseconds kIdle(10);
  with_inputs({"empty", "empty too", "full"});
  is_read_to_its_end(0);
  is_read_to_its_end(1);
  arrives(2, {{"a", 1}});

  EXPECT_FALSE(group_.ready(from_millis(0), kIdle));
  EXPECT_FALSE(group_.ready(from_millis(10), kIdle));
  EXPECT_TRUE(group_.ready(from_millis(20), kIdle));
}

TEST_F(Queues, DropRecordsWithANegativeTimestamp) {
  with_inputs({"only"});

  arrives(0, {{"a", -1}, {"b", 0}});

  EXPECT_THAT(process_all(), ElementsAre("b"));
  EXPECT_THAT(task_.reasons, ElementsAre("negative timestamp"));
}

TEST_F(Queues, CommitThePositionOfTheFirstUnprocessedRecordAndPastControlRecords) {
  with_inputs({"only"});
  arrives(0, {{"a", 1}, {"b", 2}}, /*control_records=*/3);

  process_one();
  EXPECT_EQ(group_.queue(0).position(), 1);
  process_one();
  EXPECT_EQ(group_.queue(0).position(), 5);
}

TEST_F(Queues, MoveThePositionPastABatchOfControlRecordsAlone) {
  with_inputs({"only"});

  arrives(0, {}, /*control_records=*/2);

  EXPECT_EQ(group_.queue(0).position(), 2);
  EXPECT_TRUE(group_.empty());
}

}  // namespace
}  // namespace thalweg::internal
