#include "audit_book.h"

#include <utility>

#include <boost/json/value.hpp>

#include <thalweg/runtime/json_text.h>

#include "command_ids.h"
#include "topics.h"

namespace thalweg::shop {
namespace json = boost::json;
namespace {

constexpr std::size_t kUnreadNamed = 10;

/// Ids made of digits only may be numbers, as they are in `order.processed`.
std::string id_in(const json::object& record, const char* name) {
  const json::value& id = record.at(name);
  if (id.is_int64()) return std::to_string(id.get_int64());
  if (id.is_uint64()) return std::to_string(id.get_uint64());
  return std::string(id.as_string());
}

}  // namespace

const std::vector<std::string>& AuditBook::topics() {
  static const std::vector<std::string> names = {
      topics::kProductCommands, topics::kAccountCommands,    topics::kOrderEvents,
      topics::kOrderCompleted,  topics::kNotificationEvents, topics::kPaymentEvents,
      topics::kCouponResults,   topics::kOrderProcessed};
  return names;
}

void AuditBook::add(std::string_view topic, std::string_view key, BytesView value,
                    Timestamp timestamp, std::int32_t partition, std::int64_t offset) {
  try {
    if (topic == topics::kProductCommands) {
      StockCommand command;
      Serde<StockCommand>::deserialize(value, command);
      add_product_command(std::string(key), command, timestamp);
    } else if (topic == topics::kAccountCommands) {
      AccountCommand command;
      Serde<AccountCommand>::deserialize(value, command);
      add_account_command(std::string(key), command, timestamp);
    } else if (topic == topics::kOrderEvents) {
      Serde<OrderEvent>::deserialize(value, event_);
      add_order_event(event_);
    } else {
      add_json(topic, value);
    }
  } catch (const std::exception&) {
    Unread& unread = topics::is_foreign(topic) ? unread_of_others_ : unread_;
    ++unread.count;
    if (unread.newest.size() == kUnreadNamed) unread.newest.pop_front();
    unread.newest.push_back({std::string(topic), partition, offset});
  }
}

/// Whether the command counts.
bool AuditBook::is_new(const std::string& key, const std::string& command_id,
                       Timestamp timestamp) {
  if (command_id.empty()) return true;
  const std::int64_t at = to_millis(timestamp);
  const auto [seen, first] = command_ids_.try_emplace(command_key(key, command_id), at);
  if (!first && is_repeated(seen->second, at, retention_)) return false;
  seen->second = at;
  return true;
}

void AuditBook::add_product_command(const std::string& product, const StockCommand& command,
                                    Timestamp timestamp) {
  if (!is_new("p\n" + product, command.command_id, timestamp)) return;
  Product& row = products_[product];
  if (command.kind == StockCommandKind::PUT && !row.exists) {
    row.exists = true;
    row.stocked = command.quantity;
  } else if (command.kind == StockCommandKind::RESTOCK && row.exists && command.quantity >= 0) {
    row.stocked += command.quantity;
  }
}

void AuditBook::add_account_command(const std::string& user, const AccountCommand& command,
                                    Timestamp timestamp) {
  if (!is_new("u\n" + user, command.command_id, timestamp)) return;
  if (command.amount >= 0) users_[user].deposited += command.amount;
}

void AuditBook::add_order_event(const OrderEvent& event) {
  const auto add_reserved = [&](std::int64_t sign) {
    for (const Item& item : event.items) {
      products_[item.product_id].reserved += sign * item.quantity;
    }
  };
  switch (event.type) {
    case EventType::ORDER_CREATED:
      ++created_;
      open_[event.order_id] = event.deadline;
      break;
    case EventType::PAYMENT_REQUESTED:
      if (const auto open = open_.find(event.order_id); open != open_.end()) {
        open->second = event.deadline;
      }
      break;
    case EventType::INVENTORY_DEDUCTED:
      add_reserved(1);
      break;
    case EventType::COUPON_RESERVED:
      ++coupons_[event.coupon_id].reserved;
      break;
    case EventType::ORDER_COMPLETED:
      add_reserved(-1);
      if (event.coupon_held) --coupons_[event.coupon_id].reserved;
      open_.erase(event.order_id);
      break;
    case EventType::ORDER_CANCELLED:
      if (event.deducted) add_reserved(-1);
      if (event.coupon_held) --coupons_[event.coupon_id].reserved;
      open_.erase(event.order_id);
      break;
    default:
      break;
  }
}

/// Reads all that counts of a record before any of it does: others may have written it.
void AuditBook::add_json(std::string_view topic, BytesView value) {
  const auto parsed = parse_json(value);
  if (!parsed) throw SerdeError(parsed.error().message);
  const json::object& record = parsed->as_object();
  if (topic == topics::kOrderCompleted) {
    add_completed(record);
  } else if (topic == topics::kOrderProcessed) {
    const json::value* coupon = record.if_contains("couponId");
    if (coupon && !coupon->is_null()) ++coupons_[id_in(record, "couponId")].used;
  } else if (topic == topics::kCouponResults) {
    if (record.at("success").as_bool()) {
      add_coupon(id_in(record, "couponId"), id_in(record, "userId"));
    }
  } else if (topic == topics::kNotificationEvents) {
    if (record.at("type").as_string() == "ORDER_CANCELLED") ++cancelled_;
  } else if (topic == topics::kPaymentEvents) {
    add_payment(record);
  }
}

void AuditBook::add_completed(const json::object& record) {
  const std::string order = id_in(record, "orderId");
  std::vector<std::pair<std::string, std::int64_t>> sold;
  for (const auto& product : record.at("products").as_array()) {
    sold.emplace_back(id_in(product.as_object(), "id"), product.at("qty").as_int64());
  }
  for (const auto& [product, quantity] : sold) products_[product].sold += quantity;
  ++completed_;
  balance(order, 1);
}

void AuditBook::add_payment(const json::object& record) {
  const json::string& type = record.at("type").as_string();
  if (type == "PAYMENT_FAILED") return;
  const std::string order = id_in(record, "orderId");
  const std::int64_t amount = record.at("amount").as_int64();
  User& user = users_[id_in(record, "userId")];
  user.paid += amount;
  if (type == "PAYMENT_REFUNDED") {
    user.refunded += amount;  // Taken and given back: the order never counted as paid.
  } else {
    ++paid_;
    balance(order, -1);
  }
}

void AuditBook::add_coupon(const std::string& coupon, const std::string& user) {
  Coupon& row = coupons_[coupon];
  ++row.issued;
  if (coupon_holders_.insert(coupon + "\n" + user).second) ++row.holders;
}

void AuditBook::balance(const std::string& order, std::int64_t by) {
  const auto row = completed_not_paid_.try_emplace(order, 0).first;
  row->second += by;
  if (row->second == 0) completed_not_paid_.erase(row);
}

Finding audit_product(const std::string& id, const AuditBook::Product& book, const Stock& store) {
  return {"stocked = available + reserved + sold", id, book.stocked,
          store.available + book.reserved + book.sold};
}

Finding audit_stock_row(const std::string& id, const Stock& store) {
  return {"stocked = available + reserved + sold in the stock store", id, store.stocked,
          store.available + store.reserved + store.sold};
}

Finding audit_user(const std::string& id, const AuditBook::User& book, const Account& store) {
  return {"deposited = balance + paid - refunded", id, book.deposited,
          store.balance + book.paid - book.refunded};
}

Finding audit_coupon(const std::string& id, const AuditBook::Coupon& book,
                     const CouponCounts& store) {
  return {"issued = unused + reserved + used", id, book.issued,
          store.unused + book.reserved + book.used};
}

Finding audit_holders(const std::string& id, const AuditBook::Coupon& book) {
  return {"coupons issued = users who have one", id, book.issued, book.holders};
}

Finding audit_orders(const AuditBook& book, std::int64_t open) {
  return {"created = completed + cancelled + open", "orders", book.created(),
          book.completed() + book.cancelled() + open};
}

Finding audit_unread(const AuditBook& book) {
  std::string places;
  for (const RecordOrigin& at : book.unread().newest) {
    if (!places.empty()) places += ", ";
    places += at.topic + "-" + std::to_string(at.partition) + " at " + std::to_string(at.offset);
  }
  return {"records that cannot be read = 0", places.empty() ? "topics" : places,
          book.unread().count, 0};
}

std::vector<Finding> audit_payments(const AuditBook& book) {
  std::vector<Finding> findings{
      {"completed = paid", "orders", book.completed(), book.paid()}};
  for (const auto& [order, difference] : book.completed_not_paid()) {
    findings.push_back({"completed = paid", order, difference, 0});
  }
  return findings;
}

}  // namespace thalweg::shop
