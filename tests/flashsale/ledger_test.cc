#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flashsale/ledger.h"

namespace thalweg::flashsale {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class LedgerStory : public ::testing::Test {
 protected:
  LedgerStory()
      : path_(std::filesystem::temp_directory_path() / ("ledger-" + std::to_string(::getpid()))) {
    std::filesystem::remove(path_);
  }
  ~LedgerStory() override { std::filesystem::remove(path_); }

  void sold_one_apple() {
    Journal journal(path_.string());
    journal.note(product_line("apple", 250, 10));
    journal.note(user_line("ann"));
    journal.note(accepted_line("/users/ann/deposit", R"({"amount":1000})", "d1", {}));
    journal.note(accepted_line("/products/apple/restock", R"({"quantity":5})", "r1", {}));
    journal.note(accepted_line("/orders", kBody, "o1", "order-1"));
  }
  void write(std::string_view text) { std::ofstream(path_, std::ios::app) << text; }

  static constexpr auto kBody = R"({"userId":"ann","items":[{"productId":"apple","quantity":2}]})";
  const std::filesystem::path path_;
};

TEST_F(LedgerStory, IsReadBackAsItWasWritten) {
  sold_one_apple();

  const auto ledger = Ledger::load(path_.string());

  ASSERT_TRUE(ledger) << ledger.error();
  EXPECT_EQ(ledger->products().at(0).stocked, 15);
  EXPECT_EQ(ledger->users().at(0).deposited, 1000);
  ASSERT_THAT(ledger->orders(), SizeIs(1));
  EXPECT_EQ(ledger->orders()[0].id, "order-1");
  EXPECT_EQ(ledger->total_of(ledger->orders()[0]), 500);
}

TEST_F(LedgerStory, ACommandIsUnresolvedUntilItsKeyIsAnswered) {
  sold_one_apple();
  Journal journal(*Ledger::load(path_.string()), path_.string());

  journal.note(unresolved_line({"/orders", kBody, "o2"}));
  EXPECT_THAT(journal.ledger().unresolved(), SizeIs(1));

  journal.note(accepted_line("/orders", kBody, "o2", "order-2"));
  EXPECT_THAT(journal.ledger().unresolved(), SizeIs(0));
  EXPECT_THAT(journal.ledger().orders(), SizeIs(2));
}

TEST_F(LedgerStory, ARefusedCommandLeavesNothingBehind) {
  Ledger ledger;
  ASSERT_TRUE(ledger.apply(unresolved_line({"/orders", kBody, "o1"})));

  ASSERT_TRUE(ledger.apply(refused_line("o1")));

  EXPECT_THAT(ledger.unresolved(), SizeIs(0));
  EXPECT_THAT(ledger.orders(), SizeIs(0));
}

TEST_F(LedgerStory, ALineCutOffByAKillIsIgnored) {
  sold_one_apple();
  write(R"({"kind":"order","orderId":"or)");

  const auto ledger = Ledger::load(path_.string());

  ASSERT_TRUE(ledger);
  EXPECT_THAT(ledger->orders(), SizeIs(1));
}

TEST_F(LedgerStory, AFaultIsNamedByFileAndLine) {
  sold_one_apple();
  write("{\"kind\":\"order\",\"orderId\":\"x\",\"request\":{\"userId\":\"bob\"}}\n");

  const auto ledger = Ledger::load(path_.string());

  ASSERT_FALSE(ledger);
  EXPECT_THAT(ledger.error(), HasSubstr(path_.string() + ":6: an order needs"));
}

TEST_F(LedgerStory, AFileThatIsNotThereIsAnError) {
  EXPECT_THAT(Ledger::load("/nowhere/ledger").error(), HasSubstr("/nowhere/ledger"));
}

}  // namespace
}  // namespace thalweg::flashsale
