// The auditor's book against the stores: it balances after every kind of end, and one event that is
// doubled or dropped is enough to make it not.

#include "audit_book.h"
#include "command_ids.h"
#include "shop_fixture.h"

namespace thalweg::shop {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using namespace std::chrono_literals;

constexpr std::chrono::hours kRetention{24};

class Audit : public ShopTest {
 protected:
  struct Written {
    std::string topic, key, value;
  };

  /// A shop in which orders have ended in every way.
  void a_day_in_the_shop() {
    product("shoe", 30, 5);
    product("sock", 2, 10);
    restock("shoe", 5, "k1");
    deposit("ann", 200);
    deposit("bob", 10);
    order("o1", "ann", item("shoe", 2) + "," + item("sock", 3));
    order("o2", "bob", item("shoe", 1));
    order("o3", "ann", item("shoe", 90));
    order("o4", "ann", item("sock", 1), R"({"payment":"later"})");
  }
  /// Everything the book is made of, in the order in which it was written, topic by topic.
  std::vector<Written> records() {
    std::vector<Written> all = commands_;
    auto* events = choreography_input();
    all.insert(all.end(), events->begin(), events->end());
    for (const char* topic :
         {topics::kOrderCompleted, topics::kNotificationEvents, topics::kPaymentEvents}) {
      auto* produced = orders_.produced(topic);
      if (!produced) continue;
      for (const auto& record : *produced) all.push_back({topic, *record.key, *record.value});
    }
    return all;
  }
  /// What does not hold, by the book of these records.
  std::vector<std::string> violations(const std::vector<Written>& records) {
    AuditBook book(kRetention);
    for (const auto& record : records) {
      book.add(record.topic, record.key, record.value, from_millis(0));
    }
    std::vector<Finding> findings = audit_payments(book);
    findings.push_back(audit_orders(book, 1));  // o4 is waiting.
    for (const char* id : {"shoe", "sock"}) {
      const auto known = book.products().find(id);
      const auto row = known == book.products().end() ? AuditBook::Product{} : known->second;
      findings.push_back(audit_product(id, row, stock(id)));
      findings.push_back(audit_stock_row(id, stock(id)));
    }
    for (const char* id : {"ann", "bob"}) {
      const auto known = book.users().find(id);
      const auto row = known == book.users().end() ? AuditBook::User{} : known->second;
      findings.push_back(audit_user(id, row, account(id)));
    }
    std::vector<std::string> broken;
    for (const auto& finding : findings) {
      if (!finding.holds()) broken.push_back(finding.invariant + " [" + finding.key + "]");
    }
    return broken;
  }

  /// Whether the record moves stock or money, or begins or ends an order: others only tell of it.
  static bool carries_a_number(const Written& record) {
    const auto says = [&](const char* text) {
      return record.value.find(text) != std::string::npos;
    };
    if (record.topic == topics::kNotificationEvents) return says("ORDER_CANCELLED");
    if (record.topic == topics::kPaymentEvents) return !says("PAYMENT_FAILED");
    if (record.topic != topics::kOrderEvents) return true;
    OrderEvent event;
    Serde<OrderEvent>::deserialize(record.value, event);
    return event.type == EventType::ORDER_CREATED ||
           event.type == EventType::INVENTORY_DEDUCTED ||
           event.type == EventType::ORDER_COMPLETED ||
           (event.type == EventType::ORDER_CANCELLED && event.deducted);
  }

  void SetUp() override {
    keep_events_ = &events_;
    a_day_in_the_shop();
    note_command(topics::kProductCommands, "shoe", put("shoe", 30, 5));
    note_command(topics::kProductCommands, "sock", put("sock", 2, 10));
    note_command(topics::kProductCommands, "shoe", restock_of(5));
    note_command(topics::kAccountCommands, "ann", deposit_of(200));
    note_command(topics::kAccountCommands, "bob", deposit_of(10));
  }

 private:
  template <typename T>
  void note_command(const std::string& topic, const std::string& key, const T& command) {
    std::string bytes;
    Serde<T>::serialize(command, bytes);
    commands_.push_back({topic, key, bytes});
  }
  static StockCommand put(const std::string& id, std::int64_t price, std::int64_t quantity) {
    StockCommand command{.kind = StockCommandKind::PUT, .quantity = quantity, .name = "The " + id};
    command.price = price;
    return command;
  }
  static StockCommand restock_of(std::int64_t quantity) {
    return StockCommand{.kind = StockCommandKind::RESTOCK, .quantity = quantity};
  }
  static AccountCommand deposit_of(std::int64_t amount) { return AccountCommand{.amount = amount}; }
  std::vector<Written>* choreography_input() {
    written_events_.clear();
    for (const auto& [key, value] : events_) {
      written_events_.push_back({topics::kOrderEvents, key, value});
    }
    return &written_events_;
  }

  std::vector<std::pair<std::string, std::string>> events_;
  std::vector<Written> commands_;
  std::vector<Written> written_events_;
};

TEST_F(Audit, BalancesHoweverOrdersEnd) { EXPECT_THAT(violations(records()), IsEmpty()); }

TEST_F(Audit, OneRecordDoubledOrDroppedIsSeen) {
  const auto all = records();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!carries_a_number(all[i])) continue;
    SCOPED_TRACE(all[i].topic + " " + all[i].key);
    auto dropped = all;
    dropped.erase(dropped.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_THAT(violations(dropped), Not(IsEmpty()));
    if (all[i].topic == topics::kProductCommands && i < 2) continue;  // A PUT counts once.
    auto doubled = all;
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), all[i]);
    EXPECT_THAT(violations(doubled), Not(IsEmpty()));
  }
}

TEST_F(Audit, AStockRowThatLostAReleaseIsSeen) {
  Stock row = stock("shoe");
  row.available -= 1;

  EXPECT_FALSE(audit_stock_row("shoe", row).holds());
}

TEST(AuditBook, NamesWhatTheShopAloneWritesAndNobodyCanRead) {
  AuditBook book(kRetention);
  EXPECT_TRUE(audit_unread(book).holds());

  book.add(topics::kOrderEvents, "o1", "rubbish", from_millis(0), 2, 17);
  book.add(topics::kPaymentEvents, "ann", "rubbish", from_millis(0), 0, 4);

  EXPECT_EQ(audit_unread(book), (Finding{"records that cannot be read = 0",
                                         "order-events-2 at 17, payment-events-0 at 4", 2, 0}));
}

TEST(AuditBook, CountsWhatOthersWroteAndNobodyCanReadAndNothingOfIt) {
  AuditBook book(kRetention);

  book.add(topics::kCouponResults, "user:ann", "garbage", from_millis(0), 1, 5);
  book.add(topics::kOrderCompleted, "o1", R"({"orderId":"o1"})", from_millis(0), 0, 6);
  book.add(topics::kOrderCompleted, "o1",
           R"({"orderId":"o1","products":[{"id":"shoe","qty":1},{"id":"sock"}]})", from_millis(0),
           0, 7);
  book.add(topics::kNotificationEvents, "o1", "[]", from_millis(0), 2, 8);

  EXPECT_TRUE(audit_unread(book).holds());
  EXPECT_EQ(book.unread_of_others().count, 4);
  EXPECT_EQ(book.unread_of_others().newest.front().topic, "coupon-results");
  EXPECT_EQ(book.unread_of_others().newest.front().partition, 1);
  EXPECT_EQ(book.unread_of_others().newest.back().offset, 8);
  EXPECT_TRUE(audit_payments(book).at(0).holds());
  EXPECT_THAT(book.products(), IsEmpty());
}

TEST(AuditBook, NamesTheNewestOfManyItCannotRead) {
  AuditBook book(kRetention);

  for (std::int64_t offset = 0; offset < 1'000; ++offset) {
    book.add(topics::kCouponResults, "user:ann", "garbage", from_millis(0), 0, offset);
  }

  EXPECT_EQ(book.unread_of_others().count, 1'000);
  ASSERT_THAT(book.unread_of_others().newest, SizeIs(10));
  EXPECT_EQ(book.unread_of_others().newest.front().offset, 990);
}

TEST(AuditBook, TakesIdsThatAreNumbers) {
  AuditBook book(kRetention);

  book.add(topics::kOrderProcessed, "12", R"({"orderId":12,"couponId":7})", from_millis(0));
  book.add(topics::kOrderProcessed, "13", R"({"orderId":13})", from_millis(0));

  EXPECT_EQ(book.coupons().at("7").used, 1);
  EXPECT_EQ(book.unread_of_others().count, 0);
}

// --- Commands that come again ---------------------------------------------------------------

class AuditOfRepeatedCommands : public ShopTest {
 protected:
  static constexpr std::int64_t kNoon = 1'800'000'000'000;

  /// A deposit of ann's, of so long after noon; told to the shop and to the book.
  void deposit(const std::string& id, std::int64_t amount, std::chrono::milliseconds after) {
    AccountCommand command{.amount = amount, .order_id = {}, .command_id = id};
    const Timestamp at = from_millis(kNoon) + after;
    orders_.create_input_topic<std::string, AccountCommand>(topics::kAccountCommands)
        .pipe("ann", command, at);
    std::string bytes;
    Serde<AccountCommand>::serialize(command, bytes);
    book_.add(topics::kAccountCommands, "ann", bytes, at);
  }
  Finding finding() { return audit_user("ann", book_.users().at("ann"), account("ann")); }
  std::size_t ids_kept() {
    const auto ids =
        orders_.key_value_store<std::string, SeenCommand>(stores::kAccountCommandIds).all();
    std::size_t count = 0;
    for (; ids->valid(); ids->next()) ++count;
    return count;
  }

  AuditBook book_{kRetention};
};

TEST_F(AuditOfRepeatedCommands, CountsAnIdAgainWhenTheShopDoes) {
  deposit("k", 10, 0h);
  deposit("k", 10, 24h);
  EXPECT_EQ(account("ann").deposited, 10);
  EXPECT_EQ(finding(), (Finding{finding().invariant, "ann", 10, 10}));

  deposit("k", 10, 24h + 1ms);
  deposit("k", 10, 48h);  // A day has begun anew.
  deposit("k", 10, 1h);   // On its way for long.

  EXPECT_EQ(account("ann").deposited, 20);
  EXPECT_EQ(finding(), (Finding{finding().invariant, "ann", 20, 20}));
}

TEST_F(AuditOfRepeatedCommands, ForgetsAllIdsThatAreLongPastAtOnce) {
  for (int i = 0; i < 12'000; ++i) deposit("k" + std::to_string(i), 1, 0h);
  EXPECT_EQ(ids_kept(), 12'000u);

  deposit("k1", 1, 48h);  // Once more, and no more than a day late.
  EXPECT_EQ(ids_kept(), 12'000u);
  deposit("other", 1, 72h);

  EXPECT_EQ(ids_kept(), 2u);
  EXPECT_TRUE(finding().holds());
}

// --- Coupons --------------------------------------------------------------------------------

/// What does not hold after these results and completed orders, where the store has one coupon left
/// that nobody used.
std::vector<std::string> coupon_violations(const std::vector<std::string>& results,
                                           const std::vector<std::string>& processed) {
  AuditBook book(kRetention);
  for (const auto& result : results) {
    book.add(topics::kCouponResults, "user:ann", result, from_millis(0));
  }
  for (const auto& order : processed) {
    book.add(topics::kOrderProcessed, "o1", order, from_millis(0));
  }
  const auto& coupon = book.coupons().at("ten-off");
  const CouponCounts store{.issued = 2, .unused = 1, .reserved = 0, .used = 1};
  std::vector<std::string> violations;
  for (const Finding& finding : {audit_coupon("ten-off", coupon, store),
                                 audit_holders("ten-off", coupon)}) {
    if (!finding.holds()) violations.push_back(finding.invariant);
  }
  return violations;
}

TEST(CouponAudit, FailsWhenOneEventIsDoubledOrDroppedAndWhenAUserHasTwo) {
  const std::string ann = R"({"couponId":"ten-off","userId":"ann","success":true})";
  const std::string bob = R"({"couponId":"ten-off","userId":"bob","success":true})";
  const std::string cleo = R"({"couponId":"ten-off","userId":"cleo","success":false})";
  const std::string used = R"({"orderId":"o1","couponId":"ten-off"})";
  const std::string other = R"({"orderId":"o2","couponId":null})";

  EXPECT_THAT(coupon_violations({ann, bob, cleo}, {used, other}), IsEmpty());
  EXPECT_THAT(coupon_violations({ann, cleo}, {used}), SizeIs(1)) << "a result is dropped";
  EXPECT_THAT(coupon_violations({ann, bob, bob}, {used}), SizeIs(2)) << "a result is doubled";
  EXPECT_THAT(coupon_violations({ann, ann}, {used}), SizeIs(1)) << "one user with two";
  EXPECT_THAT(coupon_violations({ann, bob}, {}), SizeIs(1)) << "an order is dropped";
  EXPECT_THAT(coupon_violations({ann, bob}, {used, used}), SizeIs(1)) << "an order is doubled";
}

}  // namespace
}  // namespace thalweg::shop
