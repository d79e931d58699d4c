#include "end_to_end/shop_client.h"
#include "end_to_end/shop_process.h"
#include "kafka/kafka_cluster.h"

// The shop with KAFKA_BROKERS set, and nothing else changed.

namespace thalweg::testing {
namespace {

using end_to_end::ShopClient;
using end_to_end::ShopProcess;

class ShopOnKafka : public ::testing::Test {
 protected:
  void open_shop() {
    shop_.start_and_wait();
    customer_.stock("lamp", 4'900, 10);
    customer_.register_user("ada");
    customer_.register_user("cleo");
    customer_.deposit("ada", 1'000'000);
    customer_.deposit("cleo", 100);
  }

  KafkaCluster cluster_;  // Topics of the shop have fixed names.
  end_to_end::TemporaryDirectory directory_;
  ShopProcess shop_{directory_.path() / "data", {{"KAFKA_BROKERS", cluster_.bootstrap_servers()}}};
  ShopClient customer_{shop_.port()};
};

TEST_F(ShopOnKafka, TakesOrdersIsKilledAndGoesOn) {
  open_shop();
  EXPECT_EQ(customer_.end_of(customer_.order("ada", "lamp", 2)), end_to_end::completed());
  EXPECT_EQ(customer_.end_of(customer_.order("ada", "lamp", 1'000)),
            end_to_end::cancelled_for("OUT_OF_STOCK"));
  EXPECT_EQ(customer_.end_of(customer_.order("cleo", "lamp", 1)),
            end_to_end::cancelled_for("INSUFFICIENT_BALANCE"));

  shop_.process().kill_hard();
  shop_.start_and_wait();

  EXPECT_EQ(customer_.end_of(customer_.order("ada", "lamp", 3)), end_to_end::completed());
  EXPECT_EQ(customer_.available("lamp", 5), 5);
  EXPECT_EQ(customer_.balance("ada"), 1'000'000 - 5 * 4'900);
  EXPECT_EQ(customer_.audit_status(), 200);
  EXPECT_EQ(shop_.stop(), 0) << shop_.process().output();
}

}  // namespace
}  // namespace thalweg::testing
