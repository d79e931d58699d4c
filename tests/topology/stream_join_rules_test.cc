// The finer rules of joins of two streams: times, headers, null keys, what is kept and how long.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/topology/streams_builder.h>

#include "topology/stream_join_world.h"

namespace thalweg {
namespace {

using testing::both;
using ::testing::Contains;
using testing::either_one;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::left_at_least;
using testing::Out;
using ::testing::Pair;
using testing::within;
using Text = std::string;
using MaybeText = std::optional<Text>;
using Texts = Out<Text, Text>;
using namespace std::chrono_literals;

constexpr auto kNone = std::nullopt;

Headers header(const Text& value) {
  Headers headers;
  headers.add("h", value);
  return headers;
}

class StreamJoinRules : public testing::StreamJoinWorld {
 protected:
  using Stream = KStream<MaybeText, MaybeText>;
  Stream left() { return builder_.stream<MaybeText, MaybeText>("left"); }
  Stream right() { return builder_.stream<MaybeText, MaybeText>("right"); }
};

TEST_F(StreamJoinRules, TheResultHasTheLaterTimeAndTheHeadersOfWhoCameLast) {
  left().join(right(), both, within(10ms)).to("out");
  on_left("a", "L", 20, header("left"));

  on_right("a", "R", 15, header("right"));

  const auto sent = world().drain_raw("out");
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(to_millis(sent.front().timestamp), 20);
  EXPECT_EQ(sent.front().headers, header("right"));
}

TEST_F(StreamJoinRules, NobodyLooksBackBeyondTheBeginningOfTime) {
  left().join(right(), both, within(10ms)).to("out");
  on_left("a", "L", 0);

  on_right("a", "R", 3);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "L+R", 3}));
}

TEST_F(StreamJoinRules, ANullValueJoinsNobodyInAnyKindOfJoin) {
  left().join(right(), both, within(10ms)).to("out");
  left().left_join(right(), left_at_least, within(10ms)).to("out");
  left().outer_join(right(), either_one, within(10ms)).to("out");

  on_left("a", kNone, 20);
  on_right("a", kNone, 20);
  on_right("b", "clock", 100);

  EXPECT_THAT(out(), IsEmpty());
  EXPECT_EQ(world().drops(), 6u);
}

TEST_F(StreamJoinRules, InAnOuterJoinEitherSideWithoutAKeyGoesAloneAtOnce) {
  left().outer_join(right(), either_one, within(10ms)).to("out");

  on_left(kNone, "L", 20);
  on_right(kNone, "R", 21);

  EXPECT_THAT(out(), ElementsAre(Texts{kNone, "L+-", 20}, Texts{kNone, "-+R", 21}));
  EXPECT_EQ(world().drops(), 0u);
}

TEST_F(StreamJoinRules, ARecordWithoutAKeyMovesTimeOn) {
  left().left_join(right(), left_at_least, within(10ms)).to("out");
  on_right(kNone, "dropped", 100);

  on_left("a", "L", 20);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "L+-", 20}));
}

TEST_F(StreamJoinRules, WhoStaysAloneGoesWithItsOwnTimeAndTheHeadersOfWhoClosedItsWindow) {
  left().left_join(right(), left_at_least, within(10ms)).to("out");
  on_left("a", "L", 20, header("its own"));

  on_right("b", "clock", 50, header("closing"));

  const auto sent = world().drain_raw("out");
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(to_millis(sent.front().timestamp), 20);
  EXPECT_EQ(sent.front().headers, header("closing"));
}

TEST_F(StreamJoinRules, TheRightSideWaitsAsLongAsTheLeftMayComeBefore) {
  left().outer_join(right(), either_one, within(10ms).before(4ms).after(20ms)).to("out");
  on_right("a", "R", 20);

  on_right("b", "clock", 24);
  EXPECT_THAT(out(), IsEmpty());
  on_right("b", "clock", 25);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "-+R", 20}));
}

TEST_F(StreamJoinRules, OnlyARecordAtTheLatestTimeClosesWindows) {
  left().left_join(right(), left_at_least, within(10ms)).to("out");
  on_left("a", "L", 20);
  on_right(kNone, "moves time without closing anything", 50);

  on_right("b", "late", 40);
  EXPECT_THAT(out(), IsEmpty());
  on_right("b", "in time", 50);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "L+-", 20}));
}

TEST_F(StreamJoinRules, WhoIsAloneGoesByTimeThenBySideThenByKeyThenAsItCame) {
  left().outer_join(right(), either_one, within(10ms)).to("out");
  on_left("b", "1", 21);
  on_left("b", "2", 20);
  on_left("a", "3", 20);
  on_right("c", "4", 20);
  on_left("b", "5", 20);

  on_left("z", "clock", 60);

  EXPECT_THAT(out(),
              ElementsAre(Texts{"c", "-+4", 20}, Texts{"a", "3+-", 20}, Texts{"b", "2+-", 20},
                          Texts{"b", "5+-", 20}, Texts{"b", "1+-", 21}));
}

TEST_F(StreamJoinRules, WhoStaysAloneIsLookedForOnceInTheEmitInterval) {
  options_.emit_interval = 1s;
  left().left_join(right(), left_at_least, within(10ms)).to("out");

  on_left("k", "a", 0);
  on_left("k", "b", 20);
  EXPECT_THAT(out(), IsEmpty()) << "the first record looked, in vain";
  world().advance_wall_clock(999ms);
  on_left("k", "c", 40);
  EXPECT_THAT(out(), IsEmpty()) << "two windows have closed, but nobody looks yet";
  world().advance_wall_clock(1ms);
  on_left("k", "d", 41);
  EXPECT_THAT(out(), ElementsAre(Texts{"k", "a+-", 0}, Texts{"k", "b+-", 20}));
}

TEST_F(StreamJoinRules, WhoStoppedALookWithASecondRecordIsLookedAtNextTime) {
  left()
      .outer_join(right(), either_one, JoinWindows::of_time_difference_and_grace(8ms, 1ms))
      .to("out");
  on_left("b", "first", 833);
  on_right("a", "R", 835);
  on_left("b", "second", 835);
  on_left("b", "third", 835);
  on_right("a", "later", 842);
  // The look ends with the third: that there is one at 842 is not known afterwards.
  on_right("c", "clock", 843);
  EXPECT_THAT(out(), ElementsAre(Texts{"b", "first+-", 833}));

  on_right("c", "clock", 851);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "-+R", 835}, Texts{"b", "second+-", 835},
                                 Texts{"b", "third+-", 835}));
}

TEST_F(StreamJoinRules, BothSidesShareOneTime) {
  left().outer_join(right(), either_one, within(10ms)).to("out");
  on_left("z", "clock", 100);

  on_right("a", "R", 20);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "-+R", 20}));
}

TEST_F(StreamJoinRules, ALateRecordMeetsWhoeverTheOtherStoreStillHas) {
  left().join(right(), both, within(10ms, 5ms)).to("out");
  on_left("a", "L", 0);
  on_left("b", "the left store's time", 24);
  on_right("b", "stream time", 39);

  on_right("a", "R", 1);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "L+R", 1}));
}

TEST_F(StreamJoinRules, TheOtherStoreForgetsByItsOwnTime) {
  left().join(right(), both, within(10ms, 5ms)).to("out");
  on_left("a", "L", 0);
  on_left("b", "the left store's time", 25);

  on_right("a", "R", 1);

  EXPECT_THAT(out(), IsEmpty());
}

TEST_F(StreamJoinRules, StoresKeepWhatTheWindowsAndTheirGraceNeed) {
  left().join(right(), both, within(10ms, 5ms).after(20ms), {.stores = {.name = "j"}}).to("out");

  const Topology topology = builder_.build();

  const auto changelog = topology.store_builder("j-this-join-store").changelog_config();
  EXPECT_THAT(changelog, Contains(Pair("retention.ms", std::to_string(10 + 20 + 5 + 86'400'000))));
  EXPECT_THAT(changelog, Contains(Pair("cleanup.policy", "compact,delete")));
}

TEST_F(StreamJoinRules, JoinedWithItselfARecordMeetsItselfBeforeThoseThatAreLater) {
  optimization_ = "single.store.self.join";
  auto stream = left();
  stream.join(stream, both, within(10ms)).to("out");
  on_left("a", "later", 25);
  out();

  on_left("a", "now", 20);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "now+later", 25}, Texts{"a", "now+now", 20},
                                 Texts{"a", "later+now", 25}));
}

TEST_F(StreamJoinRules, JoinedWithItselfARecordThatComesTooLateDoesNotMeetItself) {
  optimization_ = "single.store.self.join";
  auto stream = left();
  stream.join(stream, both, within(10ms)).to("out");
  on_left("a", "clock", 100);
  out();

  on_left("a", "late", 20);

  EXPECT_THAT(out(), IsEmpty());
}

TEST_F(StreamJoinRules, APartOfAJoinIsNamedAfterItAndItsSide) {
  left().left_join(right(), left_at_least, within(10ms), {.name = "j"}).to("out");

  const auto text = builder_.build().describe().to_text();

  for (const char* name : {"j-this-windowed ", "j-other-windowed ", "j-this-join ",
                           "j-outer-other-join ", "j-merge "}) {
    EXPECT_THAT(text, HasSubstr(Text("Processor: ") + name));
  }
}

TEST_F(StreamJoinRules, TheSharedStoreTakesTheNumberOfTheFirstSide) {
  left().outer_join(right(), either_one, within(10ms)).to("out");

  const auto text = builder_.build().describe().to_text();

  EXPECT_THAT(text, HasSubstr("KSTREAM-OUTERTHIS-0000000004-store"));
  EXPECT_THAT(text, HasSubstr("KSTREAM-OUTEROTHER-0000000005-store"));
  EXPECT_THAT(text, HasSubstr("KSTREAM-OUTERSHARED-0000000004-store"));
}

}  // namespace
}  // namespace thalweg
