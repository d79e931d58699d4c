// Joins of two streams: who meets whom, and when it is certain that nobody will come.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/topology/internal/outer_join_store.h>
#include <thalweg/topology/streams_builder.h>

#include "topology/stream_join_world.h"

namespace thalweg {
namespace {

using testing::both;
using testing::either_one;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::left_at_least;
using ::testing::Not;
using testing::Out;
using testing::within;
using Text = std::string;
using Texts = Out<Text, Text>;
using namespace std::chrono_literals;

constexpr auto kNone = std::nullopt;

class StreamJoins : public testing::StreamJoinWorld {
 protected:
  KStream<Text, Text> left() { return builder_.stream<Text, Text>("left"); }
  KStream<Text, Text> right() { return builder_.stream<Text, Text>("right"); }
};

TEST_F(StreamJoins, RecordsThatAreNearEnoughMeet) {
  left().join(right(), both, within(10ms)).to("out");

  on_left("a", "L", 20);
  on_right("a", "early", 9);
  on_right("a", "R", 10);
  on_right("a", "S", 30);
  on_right("b", "other", 20);
  on_right("a", "late", 31);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "L+R", 20}, Texts{"a", "L+S", 30}));
}

TEST_F(StreamJoins, BeforeAndAfterMayDiffer) {
  left().join(right(), both, within(10ms).before(0ms).after(5ms)).to("out");
  on_left("a", "L", 20);

  on_right("a", "before", 19);
  on_right("a", "R", 25);
  on_right("a", "after", 26);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "L+R", 25}));
}

TEST_F(StreamJoins, ARecordMeetsEachOneThatIsThereInOrderOfTime) {
  left().join(right(), both, within(10ms)).to("out");
  on_right("a", "second", 12);
  on_right("a", "first", 11);
  on_right("a", "twin", 12);

  on_left("a", "L", 10);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "L+first", 11}, Texts{"a", "L+second", 12},
                                 Texts{"a", "L+twin", 12}));
}

TEST_F(StreamJoins, ARecordWithoutKeyIsDropped) {
  builder_.stream<std::optional<Text>, Text>("left")
      .join(builder_.stream<std::optional<Text>, Text>("right"), both, within(10ms))
      .to("out");

  on_left(kNone, "L", 1);

  EXPECT_THAT(out(), IsEmpty());
  EXPECT_EQ(world().drops(), 1);
}

TEST_F(StreamJoins, ALeftJoinWaitsUntilTheWindowHasClosed) {
  left().left_join(right(), left_at_least, within(10ms, 5ms)).to("out");
  on_left("a", "L", 20);

  on_left("b", "clock", 35);
  EXPECT_THAT(out(), IsEmpty());
  on_left("b", "clock", 36);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "L+-", 20}));
}

TEST_F(StreamJoins, WhoMetSomebodyIsNotLonelyLater) {
  left().left_join(right(), left_at_least, within(10ms)).to("out");
  on_left("a", "L", 20);
  on_right("a", "R", 25);

  on_left("b", "clock", 50);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "L+R", 25}));
}

TEST_F(StreamJoins, ALeftRecordWhoseWindowHasClosedGoesAloneAtOnce) {
  left().left_join(right(), left_at_least, within(10ms)).to("out");
  on_right("b", "clock", 100);

  on_left("a", "L", 20);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "L+-", 20}));
}

TEST_F(StreamJoins, ALeftRecordWithoutKeyGoesAloneAtOnce) {
  builder_.stream<std::optional<Text>, Text>("left")
      .left_join(builder_.stream<std::optional<Text>, Text>("right"), left_at_least, within(10ms))
      .to("out");

  on_left(kNone, "L", 20);
  on_right(kNone, "R", 20);

  EXPECT_THAT(out(), ElementsAre(Texts{kNone, "L+-", 20}));
  EXPECT_EQ(world().drops(), 1);
}

TEST_F(StreamJoins, AnOuterJoinLetsBothSidesGoAlone) {
  left().outer_join(right(), either_one, within(10ms)).to("out");
  on_left("a", "L", 20);
  on_right("b", "R", 20);
  on_left("a", "M", 20);

  on_left("c", "clock", 50);

  // Of one time the right side comes first, then by key and as they came.
  EXPECT_THAT(out(),
              ElementsAre(Texts{"b", "-+R", 20}, Texts{"a", "L+-", 20}, Texts{"a", "M+-", 20}));
}

TEST_F(StreamJoins, TheKeyMayTakePart) {
  left()
      .join(
          right(), [](const Text& key, const Text& l, const Text& r) { return key + l + r; },
          within(10ms))
      .to("out");
  on_left("a", "L", 1);

  on_right("a", "R", 1);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "aLR", 1}));
}

TEST_F(StreamJoins, AStreamWhoseKeyChangedIsRepartitioned) {
  left()
      .select_key([](const Text&, const Text& value) { return value; })
      .join(right(), both, within(10ms), {.name = "j"})
      .to("out");
  on_left("ignored", "a", 1);

  on_right("a", "R", 1);

  EXPECT_TRUE(world().was_sent_to("app-j-left-repartition"));
  EXPECT_THAT(out(), ElementsAre(Texts{"a", "a+R", 1}));
}

TEST_F(StreamJoins, AStreamJoinedWithItselfMeetsItselfToo) {
  auto stream = left();
  stream.join(stream, both, within(10ms)).to("out");

  on_left("a", "1", 20);
  on_left("a", "2", 25);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "1+1", 20}, Texts{"a", "2+1", 25},
                                 Texts{"a", "1+2", 25}, Texts{"a", "2+2", 25}));
}

TEST_F(StreamJoins, OptimisedItDoesSoOutOfOneStore) {
  optimization_ = "single.store.self.join";
  auto stream = left();
  stream.join(stream, both, within(10ms)).to("out");

  on_left("a", "1", 20);
  on_left("a", "2", 25);

  EXPECT_THAT(out(), ElementsAre(Texts{"a", "1+1", 20}, Texts{"a", "2+1", 25},
                                 Texts{"a", "1+2", 25}, Texts{"a", "2+2", 25}));
}

TEST_F(StreamJoins, OptimisedItHasOneStore) {
  auto stream = left();
  stream.join(stream, both, within(10ms)).to("out");

  const auto text = builder_.build({.optimization = "all"}).describe().to_text();

  EXPECT_THAT(text, HasSubstr("KSTREAM-JOINTHIS-0000000003-store"));
  EXPECT_THAT(text, Not(HasSubstr("KSTREAM-JOINOTHER")));
}

TEST_F(StreamJoins, StoresAreNamedAsTheUserSays) {
  left().outer_join(right(), either_one, within(10ms), {.name = "j", .stores = {.name = "s"}});

  const auto text = builder_.build().describe().to_text();

  EXPECT_THAT(text, HasSubstr("s-outer-this-join-store"));
  EXPECT_THAT(text, HasSubstr("s-outer-other-join-store"));
  EXPECT_THAT(text, HasSubstr("s-outer-shared-join-store"));
}

TEST_F(StreamJoins, AStoreOfOnesOwnMustFitTheWindows) {
  const WindowStoreSupplier fitting{.name = "mine", .retention = 20ms, .window_size = 20ms};
  WindowStoreSupplier short_lived = fitting;
  short_lived.retention = 19ms;
  WindowStoreSupplier long_lived = fitting;
  long_lived.retention = 21ms;
  WindowStoreSupplier forgetful = fitting;
  forgetful.retain_duplicates = false;

  EXPECT_THROW(left().join(right(), both, within(10ms), {.stores = {.this_store = short_lived}}),
               std::invalid_argument);
  EXPECT_THROW(left().join(right(), both, within(10ms), {.stores = {.this_store = long_lived}}),
               StreamsError);
  EXPECT_THROW(left().join(right(), both, within(10ms), {.stores = {.this_store = forgetful}}),
               StreamsError);
  EXPECT_THROW(left().join(right(), both, within(10ms),
                           {.stores = {.this_store = fitting, .other_store = fitting}}),
               StreamsError);
}

TEST_F(StreamJoins, WindowsThatEndBeforeTheyBeginAreRefused) {
  EXPECT_THROW(within(-1ms), std::invalid_argument);
  EXPECT_THROW(within(1ms, -1ms), std::invalid_argument);
  EXPECT_THROW(within(1ms).before(-2ms), std::invalid_argument);
  EXPECT_EQ(within(5ms).before(-2ms).size(), 3ms);
}

TEST(OuterJoinBytes, DamagedListsAreRefused) {
  const internal::LeftOrRightListSerde<Text, Text> serde{AnySerde<Text>{}, AnySerde<Text>{}};
  internal::LeftOrRightListSerde<Text, Text>::Values values;
  for (const BytesView bytes :
       {BytesView(), BytesView("\0\0\0\0\0", 5), BytesView("\1\0\0", 3),
        BytesView("\1\0\0\0\1\0\0\0\5ab", 11), BytesView("\1\0\0\0\1\377\377\377\377", 9),
        BytesView("\1\0\0\0\1\0\0\0\0", 9)}) {
    EXPECT_THROW(serde.deserialize(bytes, values), SerdeError);
  }
}

TEST(OuterJoinBytes, AListComesBackAsItWas) {
  const internal::LeftOrRightListSerde<Text, Text> serde{AnySerde<Text>{}, AnySerde<Text>{}};
  Text bytes;
  serde.serialize({{.left = "L", .right = {}}, {.left = {}, .right = ""}}, bytes);
  internal::LeftOrRightListSerde<Text, Text>::Values values;

  serde.deserialize(bytes, values);

  EXPECT_EQ(bytes, Text("\1\0\0\0\2\0\0\0\2\1L\0\0\0\1\0", 16));
  ASSERT_EQ(values.size(), 2u);
  EXPECT_EQ(values[0].left, "L");
  EXPECT_EQ(values[1].right, "");
}

}  // namespace
}  // namespace thalweg
