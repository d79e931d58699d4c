// The demonstration: a shop of its own, and none but its own.

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shop_story.h"
#include "thalweg_cli/cli_run.h"

namespace thalweg::cli_story {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kTries = 1'500;  // Of 60 milliseconds or more each.

class Demo : public end_to_end::ShopStory {
 protected:
  /// Where a demonstration has its own data.
  std::filesystem::path own_dir() const { return directory_.path() / "own"; }
  std::string own_port() const { return std::to_string(port_); }
  /// It has something to say until the test ends it.
  end_to_end::Process& start() {
    demo_.start();
    for (int i = 0; i < kTries && demo_.output().find("orders placed") == std::string::npos; ++i) {
      if (demo_.wait_for_end(std::chrono::milliseconds(60))) break;
    }
    EXPECT_THAT(demo_.output(), AllOf(HasSubstr("the shop is at"), HasSubstr("orders placed")));
    return demo_;
  }
  /// 75 while the demonstration's shop runs.
  int look() const { return thalweg({"topics", "list", "-d", own_dir().string()}).code; }

 private:
  std::uint16_t port_ = end_to_end::free_port();
  end_to_end::Process demo_{
      {THALWEG_CLI_BINARY, "demo", "-d", own_dir().string(), "--port", own_port()},
      {},
      directory_.path() / "demo.out"};
};

TEST_F(Demo, NeverOrdersFromAStrangerOnItsPort) {
  open_shop();

  const auto ran = thalweg(
      {"demo", "-d", own_dir().string(), "--seconds", "1", "--port", std::to_string(shop_.port())});

  EXPECT_EQ(ran.code, 70);
  EXPECT_THAT(ran.out, IsEmpty());
  EXPECT_THAT(ran.err, AllOf(HasSubstr("127.0.0.1:" + std::to_string(shop_.port())),
                             HasSubstr("address in use"), HasSubstr("shop.log")));
  const auto deposits =
      thalweg({"topics", "tail", "account-commands", "-b", "--key", "demo", "--url", shop_.url()});
  EXPECT_EQ(deposits.code, 1) << deposits.err;
  EXPECT_THAT(deposits.out, IsEmpty()) << "the stranger was ordered from";
}

TEST_F(Demo, LeavesADirectoryInUseAlone) {
  open_shop();

  const auto ran =
      thalweg({"demo", "-d", data_dir().string(), "--seconds", "1", "--port", own_port()});

  EXPECT_EQ(ran.code, 75);
  EXPECT_THAT(ran.err, AllOf(HasSubstr(data_dir().string()), HasSubstr("in use by process ")));
  EXPECT_FALSE(std::filesystem::exists(data_dir() / "shop.log"));
}

TEST_F(Demo, TakesItsShopAlongWhenItsTerminalIsClosed) {
  auto& demo = start();

  demo.signal(SIGHUP);

  const auto end = demo.wait_for_end(std::chrono::seconds(30));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->code, 0);
  EXPECT_EQ(look(), 0);
}

TEST_F(Demo, TakesItsShopAlongWhenNobodyReadsAnyMore) {
  const std::string command = std::string(THALWEG_CLI_BINARY) + " demo -d " + own_dir().string() +
                              " --port " + own_port() + " | head -n 1 > /dev/null";

  ASSERT_EQ(std::system(command.c_str()), 0);

  EXPECT_EQ(look(), 0);
}

TEST_F(Demo, TakesItsShopAlongWhenItIsKilled) {
  start().kill_hard();

  int code = 75;
  for (int i = 0; i < kTries && code == 75; ++i) code = look();
  EXPECT_EQ(code, 0);
}

TEST_F(Demo, SaysWhereToReadWhyItsShopDied) {
  auto& demo = start();
  pid_t shop = 0;
  std::ifstream(own_dir() / "lock") >> shop;
  ASSERT_GT(shop, 0);

  ::kill(shop, SIGKILL);

  const auto end = demo.wait_for_end(std::chrono::seconds(60));
  ASSERT_TRUE(end);
  EXPECT_THAT(end->code, ::testing::AnyOf(69, 70));
  EXPECT_THAT(demo.output(), HasSubstr((own_dir() / "shop.log").string()));
}

TEST(DemoUsage, ANumberOutOfRangeIsRefusedInWords) {
  const auto seconds = thalweg({"demo", "--seconds", "0"});
  const auto port = thalweg({"demo", "--port", "70000"});

  EXPECT_EQ(seconds.code, 64);
  EXPECT_THAT(seconds.err, HasSubstr("--seconds: a whole number from 1, not 0"));
  EXPECT_EQ(port.code, 64);
  EXPECT_THAT(port.err, HasSubstr("--port: a whole number from 1 to 65535, not 70000"));
}

}  // namespace
}  // namespace thalweg::cli_story
