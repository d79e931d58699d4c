// A whole sale against a shop of a few lines: what is offered, measured, retried and checked.

#include <chrono>
#include <map>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flashsale/json_text.h"
#include "flashsale/report.h"
#include "stub_server.h"

namespace thalweg::flashsale {
namespace {

using namespace std::chrono_literals;
using Reply = StubServer::Reply;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Keeps the books of a shop in maps and serves each order the moment it arrives.
class TinyShop {
 public:
  Reply operator()(const StubServer::Request& request) {
    const auto slash = request.path.find('/', 1);
    const auto collection = request.path.substr(1, slash - 1);
    const auto rest = slash == std::string::npos ? "" : request.path.substr(slash + 1);
    const auto id = rest.substr(0, rest.find_first_of("/?"));
    const auto number = [&](const char* name) {
      return json_integer_member(request.body, name).value_or(0);
    };
    if (request.path == "/readyz" || request.path == "/audit") return {200, "{}"};
    if (request.method == "PUT") {
      if (collection == "products") products_[id] = {number("price"), number("stock"), 0};
      return {200, "{}"};
    }
    if (request.path == "/orders") return order(request);
    if (request.method == "POST") {
      if (!keys_.emplace(request.key, "").second) return {200, "{}"};
      if (collection == "products") products_[id].stocked += number("quantity");
      if (collection == "users") users_[id].deposited += number("amount");
      return {200, "{}"};
    }
    if (collection == "orders") return {200, orders_.at(id)};
    if (collection == "products") return {200, stock_of(products_[id])};
    return {200, balance_of(users_[id])};
  }

  bool sells_twice = false;  // A fault to be found.
  int orders_taken() const { return static_cast<int>(orders_.size()); }

 private:
  struct Product {
    std::int64_t price = 0, stocked = 0, sold = 0;
  };
  struct User {
    std::int64_t deposited = 0, paid = 0;
  };

  Reply order(const StubServer::Request& request) {
    auto [known, is_new] = keys_.emplace(request.key, "order-" + std::to_string(keys_.size()));
    if (is_new) orders_[known->second] = serve(request.body);
    return {202, R"({"orderId":")" + known->second + R"(","status":"PROCESSING"})"};
  }

  std::string serve(const std::string& body) {
    User& user = users_[*json_string_member(body, "userId")];
    std::int64_t total = 0;
    bool in_stock = true;
    const auto each = [&](auto visit) {
      for (const auto item : json_elements(*json_member(body, "items"))) {
        visit(products_[*json_string_member(item, "productId")],
              *json_integer_member(item, "quantity"));
      }
    };
    each([&](Product& product, std::int64_t quantity) {
      total += product.price * quantity;
      in_stock = in_stock && product.sold + quantity <= product.stocked;
    });
    if (!in_stock) return R"({"status":"CANCELLED","reason":"OUT_OF_STOCK"})";
    if (user.deposited - user.paid < total) {
      return R"({"status":"CANCELLED","reason":"INSUFFICIENT_BALANCE"})";
    }
    each([](Product& product, std::int64_t quantity) { product.sold += quantity; });
    user.paid += sells_twice ? 2 * total : total;
    return R"({"status":"COMPLETED","finalAmount":)" + std::to_string(total) + "}";
  }

  static std::string stock_of(const Product& product) {
    return R"({"stocked":)" + std::to_string(product.stocked) + R"(,"available":)" +
           std::to_string(product.stocked - product.sold) + R"(,"reserved":0,"sold":)" +
           std::to_string(product.sold) + "}";
  }
  static std::string balance_of(const User& user) {
    return R"({"deposited":)" + std::to_string(user.deposited) + R"(,"balance":)" +
           std::to_string(user.deposited - user.paid) + R"(,"paid":)" +
           std::to_string(user.paid) + R"(,"refunded":0})";
  }

  std::map<std::string, Product> products_;
  std::map<std::string, User> users_;
  std::map<std::string, std::string> orders_;
  std::map<std::string, std::string> keys_;
};

class SaleStory : public ::testing::Test {
 protected:
  SaleStory()
      : server_(io_, [this](const StubServer::Request& request) {
          if (request.path == "/orders" && fault_) {
            if (auto reply = fault_(request)) return *reply;
          }
          return books_(request);
        }),
        client_(io_, server_.endpoint(), {}),
        plan_({.seed = 3, .orders = 300, .users = 50, .products = 40, .skew = 0.99}) {}

  void hold_sale(SaleOptions options = {}) {
    options.rate = 3000;
    options.side_rate = 100;
    options.shows_progress = false;
    const auto seeded = seed(shop_, plan_, names_, journal_);
    ASSERT_TRUE(seeded) << seeded.error();
    report_.options = options;
    report_.sale = Sale(shop_, plan_, names_, journal_, options).run();
    report_.verification = verify(shop_, journal_.ledger(), report_.sale.orders, 0ms);
    report_.plan = &plan_;
    report_.ledger = &journal_.ledger();
  }

  boost::asio::io_context io_;
  TinyShop books_;
  std::function<std::optional<Reply>(const StubServer::Request&)> fault_;
  StubServer server_;
  HttpClient client_;
  const RequestWriter writer_{"localhost"};
  const Shop shop_{io_, client_, writer_, false};
  const OrderPlan plan_;
  const Names names_{"test"};
  Journal journal_;
  Report report_;
};

TEST_F(SaleStory, EveryOrderIsOfferedAcceptedAndFinished) {
  hold_sale();

  EXPECT_EQ(report_.sale.offered, 300u);
  EXPECT_EQ(report_.sale.accepted, 300u);
  EXPECT_EQ(report_.sale.completed + report_.sale.cancelled, 300u);
  EXPECT_EQ(report_.sale.unfinished, 0u);
  EXPECT_GE(report_.sale.completed, plan_.fillable());
  EXPECT_EQ(report_.sale.accept.count(), 300u);
  EXPECT_EQ(report_.sale.completion.count(), 300u);
}

TEST_F(SaleStory, TheBooksOfAnHonestShopBalance) {
  hold_sale();

  EXPECT_THAT(report_.verification.violations, IsEmpty());
  EXPECT_TRUE(report_.holds());
  EXPECT_GT(report_.sale.side_commands, 0u);
  EXPECT_DOUBLE_EQ(report_.verification.fillable.share_completed(), 1.0);
}

TEST_F(SaleStory, AShopThatChargesTwiceIsFoundOut) {
  books_.sells_twice = true;

  hold_sale();

  EXPECT_FALSE(report_.holds());
  EXPECT_THAT(to_text(report_), HasSubstr("balance = deposited - completed orders"));
}

TEST_F(SaleStory, ALostAnswerIsAskedForAgainWithTheSameKeyAndCountsOnce) {
  int orders = 0;
  fault_ = [&](const StubServer::Request& request) -> std::optional<Reply> {
    if (++orders % 10 != 0) return std::nullopt;
    books_(request);  // It took effect, but nobody was told.
    return StubServer::hang_up();
  };

  hold_sale({.retries = true, .retry_pause = 20ms});

  EXPECT_GT(report_.sale.retries, 0u);
  EXPECT_GT(report_.sale.failures["connection_lost"], 0u);
  EXPECT_EQ(report_.sale.accepted + report_.sale.settled, 300u);
  EXPECT_EQ(books_.orders_taken(), 300);
  EXPECT_TRUE(report_.holds()) << to_text(report_);
}

TEST_F(SaleStory, WithoutRetriesAFailedOrderIsSettledAfterwardsAndNotCountedAsASuccess) {
  int orders = 0;
  fault_ = [&](const StubServer::Request&) -> std::optional<Reply> {
    if (++orders == 10) return Reply{503, "{}"};
    return std::nullopt;
  };

  hold_sale();

  EXPECT_EQ(report_.sale.accepted, 299u);
  EXPECT_EQ(report_.sale.settled, 1u);
  EXPECT_EQ(report_.sale.statuses[503], 1u);
  EXPECT_TRUE(report_.holds()) << to_text(report_);
}

TEST_F(SaleStory, AnAnswerOtherThan202IsCountedByItsCode) {
  fault_ = [](const StubServer::Request& request) -> std::optional<Reply> {
    if (request.key == "test-o7") return Reply{404, "{}"};
    return std::nullopt;
  };

  hold_sale();

  EXPECT_EQ(report_.sale.refused, 1u);
  EXPECT_EQ(report_.sale.statuses[404], 1u);
  EXPECT_EQ(report_.sale.accepted, 299u);
}

TEST_F(SaleStory, LatencyCountsFromTheIntendedSendSoAStallIsSeenByAllOrdersBehindIt) {
  const auto stall = 60ms;
  bool has_stalled = false;
  fault_ = [&](const StubServer::Request& request) -> std::optional<Reply> {
    // The shop and its client share a thread here, so while this spins not even a send happens.
    const auto until = std::chrono::steady_clock::now() + stall;
    while (!has_stalled && request.key == "test-o100" && std::chrono::steady_clock::now() < until) {
    }
    has_stalled = has_stalled || request.key == "test-o100";
    return std::nullopt;
  };

  hold_sale();

  // At 3000 orders/s more than a quarter of 300 orders fell due within the stall.
  const auto accept = report_.sale.accept.summarize();
  EXPECT_GE(accept.max_ms, 55);
  EXPECT_GE(accept.p90_ms, 25);
}

TEST_F(SaleStory, TheReportIsOneLineOfJsonWithAllItsParts) {
  hold_sale();

  const std::string json = to_json(report_);

  EXPECT_THAT(json, Not(HasSubstr("\n")));
  EXPECT_EQ(json_integer_member(json, "accepted"), 300);
  EXPECT_EQ(json_integer_member(*json_member(json, "statuses"), "202"), 300);
  EXPECT_EQ(json_member(json, "holds"), "true");
  EXPECT_TRUE(json_member(*json_member(json, "completionLatency"), "p99Ms"));
  EXPECT_EQ(json_member(*json_member(json, "invariants"), "hold"), "true");
}

}  // namespace
}  // namespace thalweg::flashsale
