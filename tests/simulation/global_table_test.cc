// Global tables beside tasks: every worker has all rows of all partitions before its first record,
// and hears of changes while it runs.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/simulated_log.h>
#include <thalweg/schemas/partitioning.h>
#include <thalweg/topology/streams_builder.h>

#include "simulation/simulated_process.h"

namespace thalweg::simulation {
namespace {

using ::testing::Each;
using ::testing::Pair;
using Text = std::string;
using Rows = std::vector<std::pair<Text, Text>>;

constexpr int kProducts = 40;

/// Orders name a product; what comes out is its price, or "unknown".
Topology priced_orders() {
  StreamsBuilder builder;
  auto prices = builder.global_table<Text, Text>("prices", {}, {.store = "prices"});
  builder.stream<Text, Text>("orders")
      .left_join(prices, [](const Text&, const Text& product) { return product; },
                 [](const Text&, const Text* price) { return price ? *price : "unknown"; })
      .to("priced");
  return builder.build();
}

std::vector<ApplicationSpec> application() {
  ApplicationSpec spec{simulation_config("pricing"), priced_orders};
  spec.config.log_default_partitions = 3;
  return {spec};
}

Rows prices(const Text& price) {
  Rows rows;
  for (int i = 0; i < kProducts; ++i) rows.emplace_back("product-" + std::to_string(i), price);
  return rows;
}
/// One order for each product, whose names begin with `batch`.
Rows orders(const Text& batch) {
  Rows rows;
  for (int i = 0; i < kProducts; ++i) {
    rows.emplace_back(batch + std::to_string(i), "product-" + std::to_string(i));
  }
  return rows;
}

/// Prices of the orders of one batch.
std::map<Text, Text> priced(Log& log, ManualClock& clock, const Text& batch) {
  std::map<Text, Text> priced;
  for (const LoggedRecord& record : read_topic(log, clock, "priced")) {
    if (record.key->starts_with(batch)) priced[*record.key] = *record.value;
  }
  return priced;
}

class EmbeddedShop {
 public:
  EmbeddedShop() {
    EmbeddedProcess client(storage_, clock_, {}, random_);
    for (const char* topic : {"prices", "orders"}) {
      client.log().create_topic({.name = topic, .partitions = 3});
    }
    client.run_until_idle();
  }
  void open() { process_ = std::make_unique<EmbeddedProcess>(storage_, clock_, application(),
                                                             random_); }
  void close() { process_.reset(); }
  void write(const Text& topic, const Rows& rows) {
    if (process_) return process_->produce(topic, rows, [] {});
    EmbeddedProcess client(storage_, clock_, {}, random_);
    client.produce(topic, rows, [] {});
    client.run_until_idle();
  }
  void rest() { process_->run_until_idle(); }
  std::map<Text, Text> prices_of(const Text& batch) {
    return priced(process_->log(), clock_, batch);
  }

 private:
  Random random_{1};
  ManualClock clock_{from_millis(1'700'000'000'000)};
  SimulatedStorage storage_;
  std::unique_ptr<EmbeddedProcess> process_;
};

class BrokerShop {
 public:
  BrokerShop() {
    for (const char* topic : {"prices", "orders"}) {
      log_->create_topic({.name = topic, .partitions = 3});
    }
  }
  void open() {
    for (const char* name : {"one", "two"}) {
      storages_.push_back(std::make_unique<SimulatedStorage>());
      processes_.push_back(std::make_unique<SimulatedProcess>(*log_, *storages_.back(), clock_,
                                                              application_, random_, name));
    }
  }
  void close() { processes_.clear(); }
  void write(const Text& topic, const Rows& rows) {
    auto client = log_->producer({.client_id = "test"});
    client->init();
    client->begin();
    const TopicHandle handle = client->topic(topic);
    for (const auto& [key, value] : rows) {
      ASSERT_TRUE(client->send(handle, partition_of(key, 3), key, value, clock_.wall_clock(), {}));
    }
    client->commit();
    clients_.push_back(std::move(client));
  }
  void rest() {
    run_until_idle(clock_, [this] {
      bool worked = log_->step();
      for (auto& process : processes_) worked |= process->step_all();
      return worked;
    });
  }
  std::map<Text, Text> prices_of(const Text& batch) { return priced(*log_, clock_, batch); }

 private:
  Random random_{1};
  ManualClock clock_{from_millis(1'700'000'000'000)};
  std::unique_ptr<SimulatedLog> log_ = make_simulated_log(
      clock_, {.seed = 7,
               .default_partitions = 3,
               .event_delay_max = std::chrono::milliseconds(20),
               .fetch_delay_max = std::chrono::milliseconds(20),
               .fetch_empty = 0.2,
               .fetch_records_max = 3});
  std::vector<ApplicationSpec> application_ = application();
  std::vector<std::unique_ptr<LogProducer>> clients_;
  std::vector<std::unique_ptr<SimulatedStorage>> storages_;
  std::vector<std::unique_ptr<SimulatedProcess>> processes_;
};

template <typename Shop>
class GlobalTables : public ::testing::Test {
 protected:
  Shop shop_;
};
using Shops = ::testing::Types<EmbeddedShop, BrokerShop>;
TYPED_TEST_SUITE(GlobalTables, Shops);

TYPED_TEST(GlobalTables, NoRecordIsProcessedBeforeAllRowsAreThere) {
  this->shop_.write("prices", prices("10"));
  this->shop_.write("orders", orders("early-"));

  this->shop_.open();
  this->shop_.rest();

  const auto priced = this->shop_.prices_of("early-");
  EXPECT_EQ(priced.size(), kProducts);
  EXPECT_THAT(priced, Each(Pair(::testing::_, "10")));
}

TYPED_TEST(GlobalTables, AChangeReachesEveryWorkerWhileItRuns) {
  this->shop_.open();
  this->shop_.rest();
  this->shop_.write("prices", prices("10"));
  this->shop_.rest();
  this->shop_.write("prices", prices("12"));
  this->shop_.rest();

  this->shop_.write("orders", orders("late-"));
  this->shop_.rest();

  const auto priced = this->shop_.prices_of("late-");
  EXPECT_EQ(priced.size(), kProducts);
  EXPECT_THAT(priced, Each(Pair(::testing::_, "12")));
}

TYPED_TEST(GlobalTables, AfterARestartTheyAreReadAgain) {
  this->shop_.open();
  this->shop_.write("prices", prices("10"));
  this->shop_.rest();
  this->shop_.close();
  this->shop_.write("orders", orders("meanwhile-"));

  this->shop_.open();
  this->shop_.rest();

  const auto priced = this->shop_.prices_of("meanwhile-");
  EXPECT_EQ(priced.size(), kProducts);
  EXPECT_THAT(priced, Each(Pair(::testing::_, "10")));
}

}  // namespace
}  // namespace thalweg::simulation
