// What the shop promises its operator: it stops when told to, keeps what it was given, and when
// something on disk is not as it left it, it recovers or says clearly why it cannot.

#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/shop_story.h"
#include "flashsale/json_text.h"

namespace thalweg::end_to_end {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Optional;

class Survival : public ShopStory {
 protected:
  // Orders that have all ended, of both kinds.
  void trade() {
    for (int order = 0; order < 5; ++order) sold_.push_back(customer_.order("ada", "lamp", 1));
    refused_.push_back(customer_.order("cleo", "lamp", 1));
    expect_nothing_lost();
  }

  void expect_nothing_lost() {
    for (const auto& id : sold_) EXPECT_EQ(customer_.end_of(id), completed()) << id;
    for (const auto& id : refused_) {
      EXPECT_EQ(customer_.end_of(id), cancelled_for("INSUFFICIENT_BALANCE")) << id;
    }
    const auto sold = static_cast<std::int64_t>(sold_.size());
    EXPECT_EQ(customer_.available("lamp", 10 - sold), 10 - sold);
    EXPECT_EQ(customer_.balance("ada"), 1'000'000 - sold * 4'900);
    EXPECT_EQ(customer_.audit_status(), 200);
  }

  // Makes every file below `part` whose name ends like this shorter by half; how many there were.
  int truncate_files(const fs::path& part, const std::string& ending) {
    int truncated = 0;
    for (const auto& file : fs::recursive_directory_iterator(part)) {
      if (!file.is_regular_file() || !file.path().string().ends_with(ending)) continue;
      if (file.file_size() < 2) continue;
      fs::resize_file(file.path(), file.file_size() / 2);
      ++truncated;
    }
    return truncated;
  }

  std::vector<std::string> sold_;
  std::vector<std::string> refused_;
};

TEST_F(Survival, ToldToStopItExitsWithZeroSoonAndKeepsEverything) {
  open_shop();
  trade();

  shop_.process().signal(SIGTERM);
  const auto end = shop_.process().wait_for_end(60s);

  ASSERT_TRUE(end) << "still running a minute after SIGTERM";
  EXPECT_THAT(end->code, Optional(0)) << shop_.process().output();
  shop_.start_and_wait();
  expect_nothing_lost();
}

TEST_F(Survival, AnInterruptFromTheKeyboardStopsItToo) {
  open_shop();

  shop_.process().signal(SIGINT);

  const auto end = shop_.process().wait_for_end(60s);
  ASSERT_TRUE(end);
  EXPECT_THAT(end->code, Optional(0)) << shop_.process().output();
}

TEST_F(Survival, ASecondSignalStopsItAtOnceAndStillNothingIsLost) {
  open_shop();
  trade();

  shop_.process().signal(SIGTERM);
  shop_.process().wait_for_end(20ms);  // Signals that come together may count as one.
  shop_.process().signal(SIGTERM);
  const auto end = shop_.process().wait_for_end(2s);

  ASSERT_TRUE(end) << "still running 2 s after the second signal";
  shop_.start_and_wait();
  expect_nothing_lost();
}

TEST_F(Survival, KilledWithoutWarningItLosesNothing) {
  open_shop();
  trade();

  shop_.process().kill_hard();

  shop_.start_and_wait();
  expect_nothing_lost();
}

TEST_F(Survival, ASecondProcessOnItsDirectoryIsTurnedAwayWithAClearError) {
  open_shop();
  ShopProcess intruder(data_dir());

  intruder.start();
  const auto end = intruder.process().wait_for_end(60s);

  ASSERT_TRUE(end) << "two shops run on one directory";
  EXPECT_THAT(end->code, Optional(::testing::Ne(0)));
  EXPECT_THAT(intruder.process().output(), HasSubstr(data_dir().string()));
  EXPECT_THAT(intruder.process().output(), HasSubstr("in use by"));
  trade();
}

TEST_F(Survival, WithItsStateDirectoryDeletedItRestoresAllFromTheLog) {
  open_shop();
  trade();
  ASSERT_EQ(shop_.stop(), 0);

  ASSERT_GT(fs::remove_all(data_dir() / "state"), 0u);

  shop_.start_and_wait();
  expect_nothing_lost();
}

TEST_F(Survival, WithItsStateDirectoryDeletedAfterAKillItRestoresAllFromTheLog) {
  open_shop();
  trade();
  shop_.process().kill_hard();

  ASSERT_GT(fs::remove_all(data_dir() / "state"), 0u);

  shop_.start_and_wait();
  expect_nothing_lost();
}

TEST_F(Survival, WithTruncatedStateFilesItRestoresWhatTheyHeld) {
  open_shop();
  trade();
  ASSERT_EQ(shop_.stop(), 0);

  ASSERT_GT(truncate_files(data_dir() / "state", ".sst"), 0);

  shop_.start_and_wait();
  expect_nothing_lost();
}

TEST_F(Survival, WithATruncatedManifestItRestoresAllFromTheLog) {
  open_shop();
  trade();
  ASSERT_EQ(shop_.stop(), 0);
  std::string manifest;
  std::getline(std::ifstream(data_dir() / "state" / "CURRENT"), manifest);

  ASSERT_GT(truncate_files(data_dir() / "state", manifest), 0);

  shop_.start_and_wait();
  expect_nothing_lost();
}

TEST_F(Survival, WithATruncatedLogItRefusesToPretend) {
  open_shop();
  trade();
  ASSERT_EQ(shop_.stop(), 0);

  ASSERT_GT(truncate_files(data_dir() / "log" / "segments", ".log"), 0);

  shop_.start();
  const auto end = shop_.process().wait_for_end(60s);
  ASSERT_TRUE(end) << "the shop runs on half a log";
  EXPECT_THAT(end->code, Optional(::testing::Ne(0)));
  EXPECT_THAT(shop_.process().output(), HasSubstr(data_dir().string()));
}

TEST_F(Survival, ADirectoryThatCannotBeWrittenIsNamed) {
  const auto file = directory_.path() / "file";
  std::ofstream(file) << "not a directory";
  ShopProcess shop(file / "data");

  shop.start();
  const auto end = shop.process().wait_for_end(60s);

  ASSERT_TRUE(end);
  EXPECT_THAT(end->code, Optional(::testing::Ne(0)));
}

// A file system of a few megabytes. Needs the right to mount.
class DiskFull : public Survival {
 protected:
  void SetUp() override {
    mount_point_ = directory_.path() / "small";
    fs::create_directory(mount_point_);
    if (::mount("tmpfs", mount_point_.c_str(), "tmpfs", 0, "size=16m") != 0) {
      GTEST_SKIP() << "cannot mount a small tmpfs (" << std::strerror(errno)
                   << "); run as root to test a full disk";
    }
    is_mounted_ = true;
    small_shop_.emplace(mount_point_ / "data");
    customer_ = ShopClient(small_shop_->port());
  }
  void TearDown() override {
    small_shop_.reset();
    if (is_mounted_) ::umount2(mount_point_.c_str(), MNT_DETACH);
  }

  void open_small_shop() {
    small_shop_->start_and_wait();
    customer_.stock("lamp", 1, 1'000'000'000);
    customer_.register_user("ada");
    customer_.deposit("ada", 1'000'000'000'000);
  }

  // Fills the rest of the disk with a file, all but a few pages.
  void fill_disk() {
    std::ofstream ballast(mount_point_ / "ballast", std::ios::binary);
    const std::string block(4096, 'x');
    while (ballast.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void free_disk() { fs::remove(mount_point_ / "ballast"); }

  // Orders until the shop says no, or `most` were taken.
  std::vector<std::string> order_until_refused(int most) {
    std::vector<std::string> accepted;
    for (int order = 0; order < most; ++order) {
      const auto response = customer_.request(
          "POST", "/orders",
          R"({"userId":"ada","items":[{"productId":"lamp","quantity":1}]})");
      if (response.status != 202) {
        refusal_ = response;
        break;
      }
      accepted.push_back(*flashsale::json_string_member(response.body, "orderId"));
    }
    return accepted;
  }

  // The first refusals may only say that the answer is late; soon they say why.
  bool names_the_reason() {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (refusal_.body.find("space left") == std::string::npos) {
      if (std::chrono::steady_clock::now() >= deadline) return false;
      refusal_ = customer_.request("POST", "/users/ada/deposit", R"({"amount":1})");
    }
    return true;
  }

  // The log tries a sync now and then; until one succeeds it takes nothing.
  bool takes_orders_again() {
    const auto deadline = std::chrono::steady_clock::now() + 40s;
    while (order_until_refused(5).size() < 5) {
      if (std::chrono::steady_clock::now() >= deadline) return false;
      small_shop_->process().wait_for_end(50ms);
    }
    return small_shop_->process().is_running();
  }

  fs::path mount_point_;
  bool is_mounted_ = false;
  testing::RawResponse refusal_;
  std::optional<ShopProcess> small_shop_;
};

TEST_F(DiskFull, TakesNoOrderItCannotKeepAndLosesNoneItTook) {
  open_small_shop();
  auto accepted = order_until_refused(20);
  ASSERT_EQ(accepted.size(), 20u);

  fill_disk();
  for (const auto& id : order_until_refused(100'000)) accepted.push_back(id);
  EXPECT_EQ(refusal_.status, 503) << "orders go on being taken on a full disk";
  EXPECT_TRUE(names_the_reason()) << refusal_.body;

  free_disk();
  small_shop_->process().kill_hard();
  small_shop_->start_and_wait();
  for (const auto& id : accepted) ASSERT_EQ(customer_.end_of(id), completed()) << id;
  EXPECT_EQ(customer_.audit_status(), 200);
}

TEST_F(DiskFull, GoesOnByItselfWhenThereIsSpaceAgain) {
  open_small_shop();
  fill_disk();
  order_until_refused(100'000);
  ASSERT_EQ(refusal_.status, 503);

  free_disk();

  EXPECT_TRUE(takes_orders_again()) << refusal_.body << small_shop_->process().output();
}

}  // namespace
}  // namespace thalweg::end_to_end
