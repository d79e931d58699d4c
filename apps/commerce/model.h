#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/schemas/serde.h>

#include "account_generated.h"
#include "order_generated.h"
#include "stock_generated.h"
#include "table_serde.h"
#include "types_generated.h"

// The shop's own records as plain structs; their bytes are the FlatBuffers tables of schemas/.
namespace thalweg::shop {

using fb::AccountCommandKind;
using fb::Cause;
using fb::EventType;
using fb::ItemState;
using fb::OrderStatus;
using fb::Reason;
using fb::SagaStatus;
using fb::StockCommandKind;
using fb::StockOutcome;

struct Item {
  std::string product_id;
  std::int64_t quantity = 0;
  std::int64_t price = 0;  ///< Known once its product has answered.
  std::string name;
  ItemState state = ItemState::WAITING;

  friend bool operator==(const Item&, const Item&) = default;
};

struct OrderEvent {
  EventType type = EventType::ORDER_CREATED;
  std::string order_id;
  std::string user_id;
  std::int64_t at = 0;
  Reason reason = Reason::NONE;
  Cause cause = Cause::SAGA;
  std::vector<Item> items;
  std::int64_t total_amount = 0;
  std::int64_t final_amount = 0;
  std::string coupon_id;
  std::string payment_id;
  std::string shipment;
  std::string storage;
  bool pay_now = false;
  std::int64_t deadline = 0;
  bool deducted = false;
  bool coupon_held = false;
  std::int64_t options_digest = 0;
};

struct Saga {
  SagaStatus status = SagaStatus::RESERVING;
  std::string user_id;
  std::vector<Item> items;
  std::int64_t total_amount = 0;
  std::int64_t final_amount = 0;
  bool pay_now = true;
  bool payment_asked = false;
  std::string coupon_id;
  std::string shipment;
  bool storage_wanted = false;
  std::int64_t deadline = 0;
  Reason reason = Reason::NONE;
  Cause cause = Cause::SAGA;
  bool coupon_asked = false;
  bool coupon_held = false;
};

/// Whether nothing changes an order's status any more.
inline bool is_final(OrderStatus status) {
  return status == OrderStatus::COMPLETED || status == OrderStatus::CANCELLED;
}

struct HistoryEntry {
  std::int64_t at = 0;
  EventType type = EventType::ORDER_CREATED;
};

struct Order {
  std::string user_id;
  OrderStatus status = OrderStatus::PROCESSING;
  Reason reason = Reason::NONE;
  std::vector<Item> items;
  std::int64_t total_amount = 0;
  std::int64_t final_amount = 0;
  std::string coupon_id;
  std::string payment_id;
  std::string shipment;
  std::string storage;
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;
  std::vector<HistoryEntry> history;
  std::int64_t options_digest = 0;
};

struct StockCommand {
  StockCommandKind kind = StockCommandKind::PUT;
  std::string order_id;
  std::int32_t index = 0;
  std::int64_t quantity = 0;
  std::string name;
  std::int64_t price = 0;
  std::string command_id;
  std::int64_t at = 0;
};

struct Stock {
  std::string name;
  std::int64_t price = 0;
  std::int64_t first_stock = 0;
  std::int64_t stocked = 0;
  std::int64_t available = 0;
  std::int64_t reserved = 0;
  std::int64_t sold = 0;
  StockOutcome outcome = StockOutcome::UNCHANGED;
};

struct StockReply {
  std::string product_id;
  std::int32_t index = 0;
  bool known = false;
  bool granted = false;
  std::int64_t price = 0;
  std::string name;
};

struct User {
  std::string email;
  std::int32_t age = -1;
  std::string gender;
  // Of a row by e-mail alone.
  std::string id = {};            ///< Whose it is.
  std::vector<User> others = {};  ///< Who else has that e-mail, the newest last.
};

struct AccountCommand {
  AccountCommandKind kind = AccountCommandKind::DEPOSIT;
  std::int64_t amount = 0;
  std::string order_id;
  std::string command_id;
};

struct Account {
  std::int64_t deposited = 0;
  std::int64_t balance = 0;
  std::int64_t paid = 0;
  std::int64_t refunded = 0;
  bool accepted = false;
};

struct PaymentReply {
  bool accepted = false;
  std::string payment_id;
  std::int64_t amount = 0;
  bool charged = false;
  bool unknown = false;
};

}  // namespace thalweg::shop

THALWEG_SHOP_SERDE(OrderEvent);
THALWEG_SHOP_SERDE(Saga);
THALWEG_SHOP_SERDE(Order);
THALWEG_SHOP_SERDE(StockCommand);
THALWEG_SHOP_SERDE(Stock);
THALWEG_SHOP_SERDE(StockReply);
THALWEG_SHOP_SERDE(User);
THALWEG_SHOP_SERDE(AccountCommand);
THALWEG_SHOP_SERDE(Account);
THALWEG_SHOP_SERDE(PaymentReply);
