// The shop as four processes on three brokers, selling while faults happen to all of them. Whatever
// was done, its books are right, and every order that was accepted comes to an end.

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <signal.h>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "end_to_end/load_under_crashes.h"
#include "flashsale/report.h"
#include "kafka/chaos.h"
#include "kafka/shop_rig.h"

namespace thalweg::testing {
namespace {

using namespace std::chrono_literals;

class Selling : public ::testing::Test {
 protected:
  Chaos::Victim victim(std::size_t index) {
    end_to_end::ShopProcess& process = rig_.process(index);
    return {.kill = [&process] { process.process().kill_hard(); },
            .freeze = [&process] { process.process().signal(SIGSTOP); },
            .thaw = [&process] { process.process().signal(SIGCONT); },
            .stop = [&process] { EXPECT_EQ(process.stop(), 0) << process.process().output(); },
            .start = [&process] { process.start(); },
            .way = rig_.way(index)};
  }

  KafkaCluster cluster_{{.brokers = 3, .ways = 3}};
  ShopRig rig_{ShopMode::kFourProcesses, &cluster_};
};

TEST_F(Selling, EveryOrderEndsOnceAndTheBooksAreRightWhateverHappens) {
  Chaos chaos(cluster_);
  for (std::size_t i = 0; i < rig_.processes(); ++i) chaos.add(victim(i));
  end_to_end::TemporaryDirectory directory;
  end_to_end::Load load({.url = "http://127.0.0.1:" + std::to_string(rig_.port()),
                         .ledger_path = (directory.path() / "ledger").string(),
                         .plan = {.seed = 7, .orders = 100'000, .users = 60, .products = 30},
                         .rate = 20,
                         .name = "chaos",
                         .drain = 20min});
  ASSERT_EQ(load.wait_until_seeded(), "");

  chaos.rage();

  rig_.wait_until_ready();
  const auto sale = load.finish();
  std::cout << sale.offered << " orders, " << sale.accepted << " accepted, " << sale.settled
            << " when asked again, " << sale.completed << " completed" << std::endl;
  EXPECT_EQ(sale.unfinished, 0u) << "orders that never ended";
  EXPECT_EQ(sale.not_found, 0u) << "an accepted order was unknown to a later GET";
  EXPECT_GT(sale.completed, 0u);
  const auto books = load.verify(120s);
  EXPECT_TRUE(books.violations.empty()) << to_text(books, load.ledger());
  EXPECT_EQ(rig_.customer().audit_status(), 200);
  if (HasFailure() || std::getenv("CHAOS_SHOW")) std::cout << rig_.output() << std::endl;
}

}  // namespace
}  // namespace thalweg::testing
