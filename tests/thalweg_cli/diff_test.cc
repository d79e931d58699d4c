// What `topology diff` makes of two versions of an application, and what `describe` makes of one.
// golden/word-count.json counts words and letters; the others are what became of it.

#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shop_process.h"
#include "thalweg_cli/cli_run.h"

namespace thalweg::cli_story {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Diff : public ::testing::Test {
 protected:
  /// Runs the diff of two golden descriptions.
  static Ran diff(const std::string& before, const std::string& after) {
    return thalweg({"topology", "diff", golden_path(before), golden_path(after)});
  }
  /// "fate old -> new" of everything that does not stay.
  static std::vector<std::string> fates(const std::string& before, const std::string& after) {
    const auto ran =
        thalweg({"topology", "diff", golden_path(before), golden_path(after), "--json"});
    const auto answer = ran.json();
    std::vector<std::string> fates;
    for (const auto& change : answer.at("changes").as_array()) {
      const auto name = [&](const char* side) {
        return change.at(side).is_null() ? "none" : std::string(change.at(side).as_string());
      };
      const std::string fate(change.at("fate").as_string());
      if (fate != "stays") fates.push_back(fate + " " + name("old") + " -> " + name("new"));
    }
    return fates;
  }
};

TEST_F(Diff, OfTheSameIsNothing) {
  const auto ran = diff("word-count.json", "word-count.json");

  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, "5 of 5 stores and internal topics stay as they are\n");
}

TEST_F(Diff, AFilterBeforeTheCountMovesTheStoreWithAGeneratedName) {
  const auto ran = diff("word-count.json", "word-count-filtered.json");

  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.out, golden("word-count-filtered.diff"));
  EXPECT_THAT(
      fates("word-count.json", "word-count-filtered.json"),
      ElementsAre("moved KSTREAM-AGGREGATE-STATE-STORE-0000000003 -> "
                  "KSTREAM-AGGREGATE-STATE-STORE-0000000004",
                  "orphaned counter-KSTREAM-AGGREGATE-STATE-STORE-0000000003-changelog -> none",
                  "added none -> counter-KSTREAM-AGGREGATE-STATE-STORE-0000000004-changelog"));
}

TEST_F(Diff, ANewStoreLosesNothing) {
  const auto ran = diff("word-count-without-letters.json", "word-count.json");

  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(fates("word-count-without-letters.json", "word-count.json"),
              ElementsAre("added none -> letters", "added none -> counter-letters-changelog"));
}

TEST_F(Diff, AStoreThatNobodyUsesIsOrphanedWithItsChangelog) {
  EXPECT_EQ(diff("word-count.json", "word-count-without-letters.json").code, 2);
  EXPECT_THAT(
      fates("word-count.json", "word-count-without-letters.json"),
      ElementsAre("orphaned letters -> none", "orphaned counter-letters-changelog -> none"));
}

TEST_F(Diff, AnotherTypeOrPartitionCountMeansToRebuild) {
  const auto ran = diff("word-count.json", "word-count-wider.json");

  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.out, HasSubstr("value i64 -> string"));
  EXPECT_THAT(ran.out, HasSubstr("partitions 3 -> 6"));
  EXPECT_THAT(fates("word-count.json", "word-count-wider.json"),
              ElementsAre("rebuild letters -> letters",
                          "rebuild counter-KSTREAM-AGGREGATE-STATE-STORE-0000000003-changelog -> "
                          "counter-KSTREAM-AGGREGATE-STATE-STORE-0000000003-changelog",
                          "rebuild counter-letters-changelog -> counter-letters-changelog"));
}

TEST_F(Diff, AGeneratedNameThatIsAnotherStoreNowIsAClash) {
  // Two counts whose numbers shift: the first has the name that the second had.
  EXPECT_EQ(diff("two-counts.json", "two-counts-shifted.json").code, 2);
  EXPECT_THAT(fates("two-counts.json", "two-counts-shifted.json"),
              ElementsAre("clashes KSTREAM-AGGREGATE-STATE-STORE-0000000001 -> "
                          "KSTREAM-AGGREGATE-STATE-STORE-0000000003",
                          "moved KSTREAM-AGGREGATE-STATE-STORE-0000000003 -> "
                          "KSTREAM-AGGREGATE-STATE-STORE-0000000005"));
}

TEST_F(Diff, AnApplicationThatIsGoneLeavesAllItHad) {
  const auto ran = diff("word-count.json", "two-counts.json");

  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.out, HasSubstr("orphaned  store  counter"));
}

TEST_F(Diff, WhatIsNoDescriptionIsRefusedWithHowToMakeOne) {
  const end_to_end::TemporaryDirectory directory;
  const std::string path = directory.path().string() + "/notes.json";
  std::ofstream(path) << R"({"hello": "world"})";

  const auto other = thalweg({"topology", "diff", path, golden_path("word-count.json")});
  const auto missing = thalweg({"topology", "diff", "nowhere.json", path});

  EXPECT_EQ(other.code, 65);
  EXPECT_THAT(other.err, HasSubstr("thalweg describe --json"));
  EXPECT_EQ(missing.code, 66);
  EXPECT_THAT(missing.err, HasSubstr("cannot read nowhere.json"));
}

TEST_F(Diff, ATopicThatOnlyStandsForTasksIsNoLoss) {
  const end_to_end::TemporaryDirectory directory;
  const std::string path = directory.path().string() + "/old.json";
  auto old = boost::json::parse(golden("word-count.json"));
  for (const char* name :
       {"counter-thalweg-tasks-0-repartition", "counter-thalweg-tasks-12-repartition"}) {
    old.at("items").at(0).at("topics").as_array().push_back(boost::json::object{
        {"name", name}, {"partitions", 3}, {"cleanup_policy", "delete"}, {"retention_ms", -1}});
  }
  std::ofstream(path) << boost::json::serialize(old);

  const auto ran = thalweg({"topology", "diff", path, golden_path("word-count.json")});

  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_EQ(ran.out, "5 of 5 stores and internal topics stay as they are\n");
}

/// A copy of word-count.json that something happened to.
class Damaged : public Diff {
 protected:
  Damaged() : document_(boost::json::parse(golden("word-count.json"))) {}

  boost::json::value& application() { return document_.at("items").at(0); }
  /// Compares the copy with what it was.
  Ran diff() {
    std::ofstream(path_) << boost::json::serialize(document_);
    return thalweg({"topology", "diff", path_, golden_path("word-count.json")});
  }
  void expect_refused(const std::string& place) {
    const auto ran = diff();
    EXPECT_EQ(ran.code, 65) << ran.out;
    EXPECT_THAT(ran.err, HasSubstr("old.json: " + place));
    EXPECT_THAT(ran.out, IsEmpty());
  }

  end_to_end::TemporaryDirectory directory_;
  const std::string path_ = directory_.path().string() + "/old.json";
  boost::json::value document_;
};

TEST_F(Damaged, AListThatIsNoneIsNamed) {
  application().as_object()["stores"] = "x";

  expect_refused("items[0].stores is not a list");
}

TEST_F(Damaged, ANumberThatIsTextIsNamed) {
  application().at("topics").at(1).as_object()["partitions"] = "3";

  expect_refused("items[0].topics[1].partitions is not a whole number");
}

TEST_F(Damaged, ATopicWithoutMembersIsNamed) {
  application().at("topics").at(0) = boost::json::object();

  expect_refused("items[0].topics[0] has no name");
}

TEST_F(Damaged, AnApplicationThatIsListedTwiceIsNamed) {
  auto& items = document_.at("items").as_array();
  items.push_back(boost::json::value(items.at(0)));

  expect_refused("items[1] is the application counter once more");
}

TEST_F(Damaged, AnApplicationWhoseTopologyIsNoneIsNotLeftOut) {
  auto& items = document_.at("items").as_array();
  items.push_back(boost::json::object{{"application", "other"}, {"topology", "junk"}});

  expect_refused("items[1]: 'topology'");
}

TEST_F(Damaged, WhatIsMissingIsNotKnown) {
  application().as_object().erase("topics");
  application().at("stores").at(0).as_object().erase("partitions");

  const auto ran = diff();

  EXPECT_EQ(ran.code, 1) << ran.out << ran.err;
}

TEST(Describe, PrintsTheTextOfKafkaStreams) {
  const auto ran = thalweg({"describe", golden_path("word-count.json")});

  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out, golden("word-count.txt"));
}

TEST(Describe, DrawsDotMermaidAndSvg) {
  for (const char* format : {"dot", "mermaid", "svg"}) {
    const auto ran = thalweg({"describe", golden_path("word-count.json"), "--format", format});

    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, golden(std::string("word-count.") + format)) << format;
  }
}

TEST(Describe, JsonIsWhatItReadsAgain) {
  const auto once = thalweg({"describe", golden_path("word-count.json"), "--json"});
  const auto again = thalweg({"describe", "-", "--json"}, once.out);

  EXPECT_EQ(again.out, once.out);
  EXPECT_EQ(once.json(), boost::json::parse(golden("word-count.json")));
}

TEST(Describe, APictureShowsOneApplicationAndNamesThemAll) {
  const end_to_end::TemporaryDirectory directory;
  const std::string path = directory.path().string() + "/two.json";
  auto two = boost::json::parse(golden("word-count.json"));
  auto& items = two.at("items").as_array();
  items.push_back(boost::json::parse(golden("two-counts.json")).at("items").at(0));
  std::ofstream(path) << boost::json::serialize(two);

  const auto ran = thalweg({"describe", path, "--format", "svg"});
  const auto one = thalweg({"describe", path, "--format", "svg", "--application", "counter"});

  EXPECT_EQ(ran.code, 64);
  EXPECT_THAT(ran.err, HasSubstr("counter, two-counts"));
  EXPECT_EQ(one.out, golden("word-count.svg"));
}

}  // namespace
}  // namespace thalweg::cli_story
