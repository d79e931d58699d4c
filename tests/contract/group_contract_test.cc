#include <algorithm>
#include <set>

#include "contract/log_fixture.h"

// What every log promises the members of a group.

namespace thalweg::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class GroupContract : public ::testing::TestWithParam<LogUnderTest> {
 protected:
  GroupContract() {
    for (const char* topic : {"tasks", "more-tasks"}) {
      EXPECT_TRUE(harness_->log().create_topic({.name = topic, .partitions = 4}));
    }
  }

  using Kind = ProducerEvent::Kind;

  Reader& member(const std::string& name, const std::vector<std::string>& topics = {"tasks"}) {
    members_.push_back(
        std::make_unique<Reader>(*harness_, ConsumerOptions{.group = "shop", .client_id = name}));
    (*members_.back())->subscribe(topics);
    return *members_.back();
  }
  /// Lets the members answer each other until nothing changes.
  void rebalance() {
    for (int round = 0; round < 10; ++round) {
      for (auto& member : members_) {
        if (!gone_.contains(member.get())) member->follow_group();
      }
    }
  }
  void leaves(Reader& member) {
    member->leave();
    gone_.insert(&member);
  }
  Kind commits_as(const GroupMetadata& group) {
    Writer producer(*harness_, {.transactional_id = "shop-0"});
    producer.init();
    producer->begin();
    const Kind sent = producer.send_offsets({{{"tasks", 0}, {1, ""}}}, group);
    return sent == Kind::kOffsetsSent ? producer.commit() : sent;
  }
  static TopicPartition task(int partition) { return {"tasks", partition}; }

  std::unique_ptr<LogHarness> harness_ = GetParam().make();
  std::vector<std::unique_ptr<Reader>> members_;
  std::set<Reader*> gone_;
};

TEST_P(GroupContract, ALoneMemberGetsEverything) {
  Reader& only = member("a");

  rebalance();

  EXPECT_THAT(only.owned(), ElementsAre(task(0), task(1), task(2), task(3)));
}

TEST_P(GroupContract, TwoMembersShareEvenly) {
  Reader& first = member("a");
  Reader& second = member("b");

  rebalance();

  EXPECT_THAT(first.owned(), SizeIs(2));
  EXPECT_THAT(second.owned(), SizeIs(2));
}

TEST_P(GroupContract, ANewMemberGetsOnlyWhatWasReleased) {
  Reader& first = member("a");
  rebalance();
  Reader& second = member("b");
  harness_->settle();

  const ConsumerEvent revoking = first.event();
  ASSERT_EQ(revoking.kind, ConsumerEvent::Kind::kRevoking);
  EXPECT_THAT(revoking.partitions, SizeIs(2));
  second.follow_group();
  EXPECT_THAT(second.owned(), IsEmpty());
  first->release(revoking.partitions);
  second.follow_group();

  EXPECT_EQ(second.owned(), revoking.partitions);
}

TEST_P(GroupContract, WhatStaysIsNotTouched) {
  Reader& first = member("a");
  rebalance();
  const std::vector<TopicPartition> before = first.owned();
  member("b");
  rebalance();

  EXPECT_TRUE(std::ranges::includes(before, first.owned()));
}

TEST_P(GroupContract, WhoLeavesLosesAllAtOnce) {
  Reader& first = member("a");
  Reader& second = member("b");
  rebalance();

  leaves(first);
  rebalance();

  EXPECT_THAT(second.owned(), SizeIs(4));
  EXPECT_TRUE(first->group_metadata().member.empty());
  EXPECT_LT(first->group_metadata().generation, 0);
}

TEST_P(GroupContract, ADestroyedConsumerHasLeft) {
  Reader& first = member("a");
  Reader& second = member("b");
  rebalance();

  first.destroy();
  gone_.insert(&first);
  rebalance();

  EXPECT_THAT(second.owned(), SizeIs(4));
}

TEST_P(GroupContract, EachTopicIsSharedAndSoIsTheRemainder) {
  Reader& a = member("a", {"tasks", "more-tasks"});
  Reader& b = member("b", {"tasks", "more-tasks"});
  Reader& c = member("c", {"tasks", "more-tasks"});

  rebalance();

  std::vector<std::size_t> shares = {a.owned().size(), b.owned().size(), c.owned().size()};
  std::ranges::sort(shares);
  EXPECT_THAT(shares, ElementsAre(2, 3, 3));
}

TEST_P(GroupContract, NoPartitionHasTwoOwners) {
  for (const char* name : {"a", "b", "c"}) {
    member(name);
    rebalance();
  }

  std::set<TopicPartition> owned;
  std::size_t count = 0;
  for (const auto& member : members_) {
    owned.insert(member->owned().begin(), member->owned().end());
    count += member->owned().size();
  }

  EXPECT_EQ(count, 4);
  EXPECT_EQ(owned.size(), 4);
}

TEST_P(GroupContract, AMemberMayCommitWithItsPresentMetadata) {
  Reader& first = member("a");
  rebalance();

  EXPECT_EQ(commits_as(first->group_metadata()), Kind::kCommitted);
}

TEST_P(GroupContract, AMemberThatLeftMayNotCommit) {
  Reader& first = member("a");
  rebalance();
  const GroupMetadata before = first->group_metadata();

  leaves(first);

  EXPECT_EQ(commits_as(before), Kind::kAbortRequired);
}

TEST_P(GroupContract, MetadataFromBeforeAReleaseIsRefused) {
  Reader& first = member("a");
  rebalance();
  const GroupMetadata before = first->group_metadata();
  member("b");
  rebalance();

  EXPECT_EQ(commits_as(before), Kind::kAbortRequired);
  EXPECT_EQ(commits_as(first->group_metadata()), Kind::kCommitted);
}

TEST_P(GroupContract, TheGenerationGrowsWithEachChange) {
  Reader& first = member("a");
  rebalance();
  const auto before = first->group_metadata().generation;

  member("b");
  rebalance();

  EXPECT_GT(first->group_metadata().generation, before);
}

TEST_P(GroupContract, SubscribingToAnUnknownTopicMakesItOrFails) {
  Reader& only = member("a", {"fresh-tasks"});

  if (harness_->makes_topics()) {
    rebalance();
    EXPECT_TRUE(harness_->log().topic("fresh-tasks"));
  } else {
    const ConsumerEvent failed = only.event();
    EXPECT_EQ(failed.kind, ConsumerEvent::Kind::kFailed);
    EXPECT_THAT(failed.error.message, ::testing::HasSubstr("fresh-tasks"));
  }
}

TEST_P(GroupContract, ATimeIsAnsweredWithTheFirstRecordSinceThen) {
  const TopicPartition place{"tasks", 0};
  Writer producer(*harness_, {.transactional_id = "shop-0"});
  producer.init();
  producer.write(place, {{"a", "1", 10}, {"b", "2", 30}, {"c", "3", 20}});
  Reader reader(*harness_, {});
  const auto since = [&](std::int64_t millis) {
    reader->fetch_ends({place}, {{place, from_millis(millis)}});
    return reader.event().ranges.at(place);
  };

  EXPECT_EQ(since(5).since, 0);
  EXPECT_EQ(since(11).since, 1);
  EXPECT_EQ(since(30).since, 1);
  // Behind all records: on Kafka, what marks the commit lies there too, with the time of day.
  const auto later = since(31);
  EXPECT_GE(later.since, 3);
  EXPECT_LE(later.since, later.end);
}

INSTANTIATE_TEST_SUITE_P(Logs, GroupContract, ::testing::ValuesIn(logs_under_test()), name_of);

}  // namespace
}  // namespace thalweg::testing
