// The shop's own topologies in a process that dies at any step. Every order whose write was
// acknowledged ends, COMPLETED or CANCELLED, once; no stock and no money is made or lost.
//
// Checked from the events and the changelogs, against the test's own list of what it wrote.

#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "model.h"
#include "simulation/crash_story.h"
#include "topics.h"
#include "topologies.h"

namespace thalweg::simulation {
namespace {

using namespace std::chrono_literals;
using shop::Account;
using shop::EventType;
using shop::OrderEvent;
using shop::Stock;

template <typename T>
std::string bytes_of(const T& value) {
  std::string bytes;
  Serde<T>::serialize(value, bytes);
  return bytes;
}

template <typename T>
T value_of(const std::string& bytes) {
  T value{};
  Serde<T>::deserialize(bytes, value);
  return value;
}

class Shop final : public Workload {
 public:
  explicit Shop(Random& random) : random_(random) {}

  std::vector<ApplicationSpec> applications() override {
    shop::ShopConfig config;
    config.timer_resolution = 10s;
    return {{simulation_config("order-service"), [config] { return shop::build_orders(config); }},
            {simulation_config("choreography"), [] { return shop::build_choreography(); }}};
  }

  void write_something(EmbeddedProcess& process) override {
    const auto choice = random_() % 10;
    if (choice == 0) {
      write_product(process);
    } else if (choice == 1) {
      write_deposit(process);
    } else {
      write_order(process);
    }
  }

  void check(EmbeddedProcess& process, ManualClock& clock) override {
    read_events(process.log(), clock);
    for (const auto& order : acknowledged_orders_) {
      EXPECT_EQ(ended_[order], 1) << "order " << order << " ended " << ended_[order] << " times";
    }
    const auto stock = rows<Stock>(process.log(), clock, "order-service-stock-changelog");
    for (const auto& [product, row] : stock) {
      EXPECT_EQ(row.stocked, row.available + row.reserved + row.sold) << product;
      EXPECT_EQ(row.reserved, 0) << product << " is reserved for an order that has ended";
      EXPECT_GE(row.available, 0) << product;
      EXPECT_EQ(row.sold, sold_[product]) << product;
    }
    const auto accounts = rows<Account>(process.log(), clock, "order-service-accounts-changelog");
    for (const auto& [user, row] : accounts) {
      EXPECT_EQ(row.deposited, row.balance + row.paid - row.refunded) << user;
      EXPECT_EQ(row.paid - row.refunded, paid_[user]) << user;
      EXPECT_GE(row.balance, 0) << user;
      EXPECT_LE(row.deposited, 1'000 * deposits_written_) << user;
    }
  }

 private:
  static constexpr int kProducts = 4;
  static constexpr int kUsers = 4;

  std::string product() { return "product-" + std::to_string(random_() % kProducts); }
  std::string user() { return "user-" + std::to_string(random_() % kUsers); }

  void write_product(EmbeddedProcess& process) {
    shop::StockCommand put{.kind = shop::StockCommandKind::PUT, .quantity = 20, .name = "thing"};
    put.price = 10;
    process.produce(shop::topics::kProductCommands, {{product(), bytes_of(put)}}, [] {});
  }

  void write_deposit(EmbeddedProcess& process) {
    shop::AccountCommand deposit{.amount = 1'000, .order_id = {}, .command_id = {}};
    ++deposits_written_;
    process.produce(shop::topics::kAccountCommands, {{user(), bytes_of(deposit)}}, [] {});
  }

  void write_order(EmbeddedProcess& process) {
    const std::string id = "order-" + std::to_string(++last_order_);
    std::string items;
    for (auto n = 1 + random_() % 3; n > 0; --n) {
      items += std::string(items.empty() ? "" : ",") + R"({"productId":")" + product() +
               R"(","quantity":)" + std::to_string(1 + random_() % 3) + "}";
    }
    process.produce(shop::topics::kOrderStart,
                    {{id, R"({"orderId":")" + id + R"(","userId":")" + user() +
                              R"(","items":[)" + items + "]}"}},
                    [this, id] { acknowledged_orders_.insert(id); });
  }

  // Folds the history of all orders, which is what everybody else is told.
  void read_events(Log& log, ManualClock& clock) {
    std::map<std::string, std::set<EventType>> seen;
    for (const auto& record : read_topic(log, clock, shop::topics::kOrderEvents)) {
      const auto event = value_of<OrderEvent>(*record.value);
      if (event.type != EventType::INVENTORY_RELEASED) {
        EXPECT_TRUE(seen[event.order_id].insert(event.type).second)
            << event.order_id << " has two events of type " << static_cast<int>(event.type);
      }
      if (event.type == EventType::ORDER_COMPLETED) {
        for (const auto& item : event.items) sold_[item.product_id] += item.quantity;
        paid_[event.user_id] += event.final_amount;
      }
      if (event.type == EventType::ORDER_COMPLETED || event.type == EventType::ORDER_CANCELLED) {
        ++ended_[event.order_id];
      }
    }
  }

  template <typename T>
  std::map<std::string, T> rows(Log& log, ManualClock& clock, const std::string& changelog) {
    std::map<std::string, T> rows;
    for (const auto& record : read_topic(log, clock, changelog)) {
      if (record.value) {
        rows.insert_or_assign(*record.key, value_of<T>(*record.value));
      } else {
        rows.erase(*record.key);
      }
    }
    return rows;
  }

  Random& random_;
  int last_order_ = 0;
  std::int64_t deposits_written_ = 0;
  std::set<std::string> acknowledged_orders_;
  std::map<std::string, int> ended_;
  std::map<std::string, std::int64_t> sold_;
  std::map<std::string, std::int64_t> paid_;
};

std::unique_ptr<Workload> a_shop(Random& random) { return std::make_unique<Shop>(random); }

TEST(ShopCrash, NothingIsSoldOrPaidTwiceWhateverStepTheProcessDiesAt) {
  tell_crash_stories(Forgetting::kNothing, a_shop);
}

TEST(ShopCrash, AcknowledgedOrdersSurviveADiskThatForgetsWhatWasNotSynced) {
  tell_crash_stories(Forgetting::kUnsynced, a_shop);
}

}  // namespace
}  // namespace thalweg::simulation
