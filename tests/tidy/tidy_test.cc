// The rules of the house that no compiler checks. Each test prints every offence as
// file:line: rule: what to do instead.
#include <iostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rules.h"

namespace thalweg::tidy {
namespace {

const std::vector<SourceFile>& project() {
  static const std::vector<SourceFile> kFiles = read_source_tree(THALWEG_SOURCE_DIR);
  return kFiles;
}

void expect_none(const Offences& offences) {
  for (const Offence& offence : offences) std::cout << to_string(offence) << '\n';
  EXPECT_EQ(offences.size(), 0U);
}

TEST(Project, IsFoundWhole) {
  EXPECT_GT(project().size(), 50U);
  EXPECT_TRUE(std::ranges::any_of(
      project(), [](const SourceFile& file) { return file.path == "tests/tidy/tidy_test.cc"; }));
}

TEST(Project, IncludesPointDownward) { expect_none(check_layers(project())); }
TEST(Project, ThirdPartyLibrariesStayWhereTheyBelong) { expect_none(check_third_party(project())); }
TEST(Project, TextIsTidy) { expect_none(check_text(project())); }
TEST(Project, TimeAndChanceComeFromTheClock) { expect_none(check_clocks(project())); }
TEST(Project, EveryFileIsBuilt) { expect_none(check_listed(project())); }
TEST(Project, FilesAreShort) { expect_none(check_length(project())); }

// The rules themselves: each finds what it is there to find.

/// The rules that were broken, in the order found.
std::vector<std::string> rules_of(const Offences& offences) {
  std::vector<std::string> rules;
  for (const Offence& offence : offences) rules.push_back(offence.rule);
  return rules;
}

using testing::ElementsAre;
using testing::IsEmpty;

TEST(LayerRule, KnowsUpFromDown) {
  const auto check = [](std::string path, std::string_view header) {
    return rules_of(check_layers({file_of(std::move(path), "#include " + std::string(header))}));
  };

  EXPECT_THAT(check("schemas/a.cc", "<thalweg/state/x.h>"), ElementsAre("layers"));
  EXPECT_THAT(check("topology/a.cc", "<thalweg/runtime/x.h>"), ElementsAre("layers"));
  EXPECT_THAT(check("runtime/a.cc", "<thalweg/schemas/x.h>"), IsEmpty());
  EXPECT_THAT(check("apps/shop/a.cc", "<thalweg/runtime/x.h>"), IsEmpty());
  EXPECT_THAT(check("apps/shop/a.cc", "<thalweg/cellar/x.h>"), ElementsAre("layers"));
  EXPECT_THAT(check("runtime/a.cc", "\"thalweg/schemas/x.h\""), ElementsAre("include style"));
  EXPECT_THAT(check("runtime/a.cc", "\"../state/x.h\""), ElementsAre("include style"));
  EXPECT_THAT(check("runtime/a.cc", "\"state/byte_table.h\""), ElementsAre("layers"));
  EXPECT_THAT(check("runtime/a.cc", "\"embedded/batch.h\""), IsEmpty());
}

TEST(ThirdPartyRule, KnowsWhereEachLibraryLives) {
  const auto check = [](std::string path, std::string_view header) {
    const std::string line = "#include <" + std::string(header) + ">";
    return rules_of(check_third_party({file_of(std::move(path), line)}));
  };

  EXPECT_THAT(check("state/a.cc", "rocksdb/db.h"), IsEmpty());
  EXPECT_THAT(check("runtime/worker.cc", "rocksdb/db.h"), ElementsAre("third-party include"));
  EXPECT_THAT(check("state/include/thalweg/state/a.h", "rocksdb/db.h"),
              ElementsAre("heavy header"));
  EXPECT_THAT(check("topology/a.cc", "spdlog/spdlog.h"), ElementsAre("third-party include"));
  EXPECT_THAT(check("runtime/a.cc", "left_pad/left_pad.h"), ElementsAre("third-party include"));
  EXPECT_THAT(check("topology/a.cc", "vector"), IsEmpty());
  EXPECT_THAT(check("topology/a.cc", "unistd.h"), ElementsAre("system include"));
  EXPECT_THAT(check("state/a.cc", "sys/mman.h"), IsEmpty());
}

TEST(TextRule, FindsWhatReadersShouldNotMeet) {
  const auto check = [](std::string path, const std::string& text) {
    return rules_of(check_text({file_of(std::move(path), text)}));
  };

  EXPECT_THAT(check("a.cc", std::string(101, 'x')), ElementsAre("columns"));
  EXPECT_THAT(check("a.cc", std::string(98, 'x') + "한글"), IsEmpty());
  EXPECT_THAT(check("a.md", std::string(200, 'x')), IsEmpty());
  EXPECT_THAT(check("a.cc", "\tint x;"), ElementsAre("tabs"));
  EXPECT_THAT(check("a.cc", "int x;\r"), ElementsAre("line ends"));
  EXPECT_THAT(check("a.cc", std::string("// TO") + "DO: later"), ElementsAre("notes"));
  EXPECT_THAT(check("a.cc", std::string("mkdtemp(\"XX") + "XXXX\")"), IsEmpty());
  EXPECT_THAT(check("a.md", std::string("see /ho") + "me/me/notes"), ElementsAre("machine path"));
  EXPECT_THAT(check("a.h", "#pragma once\nusing namespace std;"), ElementsAre("using namespace"));
  EXPECT_THAT(check("a.h", "int x;"), ElementsAre("pragma once"));
}

TEST(ClockRule, FindsTimeThatCannotBeReplayed) {
  const auto check = [](std::string path, const std::string& text) {
    return rules_of(check_clocks({file_of(std::move(path), text)}));
  };
  const std::string now = "auto t = std::chrono::steady_clock::now();";

  EXPECT_THAT(check("runtime/worker.cc", now), ElementsAre("clocks"));
  EXPECT_THAT(check("runtime/clock.cc", now), IsEmpty());
  EXPECT_THAT(check("bench/count.cc", now), IsEmpty());
  EXPECT_THAT(check("tests/a.cc", "std::this_thread::sleep_for(1s);"), ElementsAre("clocks"));
  EXPECT_THAT(check("tests/a.cc", "seed = std::random_device{}();"), IsEmpty());
  EXPECT_THAT(check("state/a.cc", "seed = std::random_device{}();"), ElementsAre("clocks"));
  EXPECT_THAT(check("state/a.cc", "int x = rand();"), ElementsAre("clocks"));
  EXPECT_THAT(check("state/a.cc", "operand(x);  // unlike rand()"), IsEmpty());
  EXPECT_THAT(check("state/a.cc", "say(\"sleep_for\");"), IsEmpty());
}

TEST(ListingRule, FindsWhatNobodyBuilds) {
  const SourceFile list = file_of("state/CMakeLists.txt", "thalweg_component(state SOURCES a.cc)");
  const SourceFile a = file_of("state/a.cc", "#include \"b.h\"");
  const SourceFile b = file_of("state/b.h", "#pragma once");

  EXPECT_THAT(rules_of(check_listed({list, a, b})), IsEmpty());
  EXPECT_THAT(rules_of(check_listed({list, b})), ElementsAre("unused header"));
  EXPECT_THAT(rules_of(check_listed({list, file_of("state/aa.cc", "")})),
              ElementsAre("not listed"));
  EXPECT_THAT(rules_of(check_listed({list, file_of("runtime/a.cc", "")})),
              ElementsAre("not listed"));
  EXPECT_THAT(rules_of(check_listed({list, file_of("state/include/thalweg/state/c.h", "")})),
              ElementsAre("not listed"));
  EXPECT_THAT(rules_of(check_listed({list, file_of("state/other/a.cc", "")})),
              ElementsAre("not listed"));
}

TEST(ListingRule, KnowsTheWaysToNameAFile) {
  const auto lists = [](std::string_view line, std::string path) {
    return check_listed({file_of("state/disk/CMakeLists.txt", line),
                         file_of("state/CMakeLists.txt", line), file_of(std::move(path), "")})
        .empty();
  };

  EXPECT_TRUE(lists("HEADERS internal/x.h", "state/include/thalweg/state/internal/x.h"));
  EXPECT_TRUE(lists("  ../metrics.cc)", "state/metrics.cc"));
  EXPECT_TRUE(lists("${PROJECT_SOURCE_DIR}/state/x.cc", "state/x.cc"));
  EXPECT_TRUE(lists("foreach(case one two)\nadd(${case}.cc)", "state/disk/two.cc"));
  EXPECT_FALSE(lists("foreach(case one two)", "state/disk/two.cc"));
  EXPECT_FALSE(lists("# was: a.cc", "state/a.cc"));
}

TEST(LengthRule, CountsLines) {
  const auto of = [](std::size_t lines) {
    return rules_of(check_length({SourceFile{"a.cc", std::vector<std::string>(lines)}}));
  };

  EXPECT_THAT(of(500), IsEmpty());
  EXPECT_THAT(of(501), ElementsAre("length"));
}

TEST(OffenceText, NamesThePlaceTheRuleAndTheWayOut) {
  EXPECT_EQ(to_string({"state/a.cc", 7, "tabs", "indent by two spaces"}),
            "state/a.cc:7: tabs: indent by two spaces");
}

}  // namespace
}  // namespace thalweg::tidy
