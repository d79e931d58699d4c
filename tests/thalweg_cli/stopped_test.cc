// The tool in the directory of a shop that has stopped, cleanly or not.

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shop_story.h"
#include "thalweg_cli/cli_run.h"

namespace thalweg::cli_story {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Stopped : public end_to_end::ShopStory {
 protected:
  Ran look(std::vector<std::string> arguments, const std::string& input = {}) {
    arguments.insert(arguments.end(), {"--data-dir", data_dir().string()});
    return thalweg(arguments, input);
  }
  Ran ask(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--url", shop_.url()});
    return thalweg(arguments);
  }
  void sell_one_lamp() {
    open_shop();
    ASSERT_EQ(customer_.end_of(customer_.order("ada", "lamp", 1)), end_to_end::completed());
    ask_until({"stores", "get", "stock", "lamp", "--json"}, "\"sold\":1");
    ask_until({"stores", "get", "units-sold", "lamp", "--json"}, "\"value\":1,");
    ask_until({"stores", "get", "units-sold-by-day", "lamp", "--json"}, "\"value\":1,");
  }
  /// Asks until the answer has `text` in it, for up to a minute and a half.
  void ask_until(const std::vector<std::string>& arguments, const std::string& text) {
    std::string seen;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(90);
    while (seen.find(text) == seen.npos && std::chrono::steady_clock::now() < end) {
      seen = ask(arguments).out;
    }
    EXPECT_THAT(seen, HasSubstr(text));
  }
};

TEST_F(Stopped, ItsStoresTopicsAndPlanAreWhatTheyWereWhileItRan) {
  sell_one_lamp();
  const auto stock = ask({"stores", "get", "stock", "lamp", "--json"});
  const auto users = ask({"stores", "dump", "users", "-a", "order-service"});
  const auto plan = ask({"describe", "-a", "ranking"});
  const auto records = ask({"topics", "tail", "order-events", "-b", "--json"});
  ASSERT_THAT(records.out, HasSubstr("ORDER_COMPLETED"));
  ASSERT_EQ(shop_.stop(), 0);

  EXPECT_EQ(look({"stores", "get", "stock", "lamp", "--json"}).out, stock.out);
  EXPECT_EQ(look({"stores", "dump", "users", "-a", "order-service"}).out, users.out);
  EXPECT_EQ(look({"describe", "-a", "ranking"}).out, plan.out);
  EXPECT_EQ(look({"topics", "tail", "order-events", "-b", "--json"}).out, records.out);
}

TEST_F(Stopped, AKillHidesNothing) {
  sell_one_lamp();
  const auto stock = ask({"stores", "get", "stock", "lamp", "--json"});
  shop_.process().kill_hard();

  EXPECT_EQ(look({"stores", "get", "stock", "lamp", "--json"}).out, stock.out);
}

TEST_F(Stopped, WindowsAreReadByKey) {
  sell_one_lamp();
  const auto sold = ask({"stores", "get", "units-sold-by-day", "lamp", "--json"});
  ASSERT_EQ(shop_.stop(), 0);

  EXPECT_EQ(look({"stores", "get", "units-sold-by-day", "lamp", "--json"}).out, sold.out);
}

TEST_F(Stopped, ADirectoryInUseIsLeftAlone) {
  open_shop();

  const auto ran = look({"stores", "list"});

  EXPECT_EQ(ran.code, 75);
  EXPECT_THAT(ran.err, AllOf(HasSubstr(data_dir().string()), HasSubstr("--url")));
}

TEST_F(Stopped, ADirectoryThatIsNoneIsNotMade) {
  const auto missing = directory_.path() / "mistyped";

  const auto ran = thalweg({"stores", "list", "--data-dir", missing.string()});

  EXPECT_EQ(ran.code, 66);
  EXPECT_FALSE(std::filesystem::exists(missing));
}

TEST_F(Stopped, WithoutItsLocalStateItsLogIsEnough) {
  sell_one_lamp();
  const auto stock = ask({"stores", "get", "stock", "lamp", "--json"});
  ASSERT_EQ(shop_.stop(), 0);
  std::filesystem::remove_all(data_dir() / "state");

  EXPECT_EQ(look({"stores", "get", "stock", "lamp", "--json"}).out, stock.out);
}

TEST_F(Stopped, ADirectoryOfSomethingElseStaysAsItIs) {
  const auto other = directory_.path() / "notes";
  std::filesystem::create_directories(other / "state");
  std::filesystem::create_directories(other / "log");

  const auto ran = thalweg({"stores", "list", "--data-dir", other.string()});

  EXPECT_EQ(ran.code, 66);
  EXPECT_TRUE(std::filesystem::is_empty(other / "state"));
  EXPECT_TRUE(std::filesystem::is_empty(other / "log"));
}

TEST_F(Stopped, NothingIsWrittenIntoIt) {
  open_shop();
  ASSERT_EQ(shop_.stop(), 0);

  const auto ran = look({"topics", "produce", "users", "-k", "x", "-v", "{}"});

  EXPECT_NE(ran.code, 0);
  EXPECT_THAT(look({"topics", "tail", "users", "-b", "--key", "x"}).out, IsEmpty());
}

TEST_F(Stopped, ADryResetSaysWhatAResetDoes) {
  sell_one_lamp();
  ASSERT_EQ(shop_.stop(), 0);
  const auto before = look({"stores", "get", "units-sold", "lamp", "--json"});

  const auto dry = look({"reset", "ranking", "--dry-run"});
  const auto unsure = look({"reset", "ranking"});

  EXPECT_EQ(dry.code, 0) << dry.err;
  EXPECT_THAT(dry.out, AllOf(HasSubstr("ranking-units-sold-changelog"),
                             HasSubstr("order-completed-"), Not(HasSubstr("order-service-"))));
  EXPECT_EQ(unsure.code, 64);
  EXPECT_THAT(unsure.err, HasSubstr("--yes"));
  EXPECT_EQ(look({"stores", "get", "units-sold", "lamp", "--json"}).out, before.out);
  EXPECT_EQ(look({"reset", "rankin"}).code, 66);
}

TEST_F(Stopped, TheBeginningOfAnApplicationsTopicsIsNoApplication) {
  open_shop();
  ASSERT_EQ(shop_.stop(), 0);
  const auto before = look({"topics", "list", "--internal"});
  ASSERT_THAT(before.out, AllOf(HasSubstr("order-service-stock-requests-repartition"),
                                HasSubstr("views-views-by-day-changelog")));

  for (const char* beginning : {"order-service-stock", "views-views-by"}) {
    const auto ran = look({"reset", beginning, "--yes"});

    EXPECT_EQ(ran.code, 66) << beginning;
    EXPECT_THAT(ran.out, IsEmpty());
    EXPECT_THAT(ran.err,
                AllOf(HasSubstr("has nothing of an application '" + std::string(beginning) + "'"),
                      HasSubstr("known are: "), HasSubstr("order-service")));
  }
  EXPECT_EQ(look({"topics", "list", "--internal"}).out, before.out);
}

TEST_F(Stopped, AfterAResetTheApplicationComputesEverythingAnew) {
  sell_one_lamp();
  ASSERT_EQ(shop_.stop(), 0);

  const auto reset = look({"reset", "ranking", "--yes"});
  ASSERT_EQ(reset.code, 0) << reset.err;
  EXPECT_EQ(look({"stores", "get", "units-sold", "lamp"}).code, 1) << "nothing is left of it";

  shop_.start_and_wait();
  // Counted once again, from the beginning.
  ask_until({"stores", "get", "units-sold", "lamp", "--json"}, "\"value\":1,");
  EXPECT_EQ(customer_.available("lamp", 9), 9) << "others are as they were";
}

}  // namespace
}  // namespace thalweg::cli_story
