#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <thalweg/schemas/json.h>
#include <thalweg/schemas/serde.h>

#include "coupon_model.h"
#include "json_fields.h"
#include "model.h"

namespace thalweg::shop {

// What the saga of an order can be told, each kind by a topic of its own.

/// A record that is not what its topic promises: it goes to the topic's dead letters.
struct Unreadable {
  std::string reason;
};

struct OrderStart {
  std::string user_id;
  std::vector<ItemRequest> items;
  OrderOptions options;  ///< From the record's header, where it has that.
  std::int64_t options_digest = 0;  ///< Of that header.
};

struct OrderCancel {
  Reason reason = Reason::PAYMENT_FAILED;
};

struct StockRollback {};

/// `order-processing-topic`: shipment and storage as wished now, and the payment.
struct ProcessOrder {
  OrderOptions request;
};

/// `payment-processing-topic`: the payment only.
struct ProcessPayment {};

struct SagaTimeout {
  std::int64_t deadline = 0;
};

/// One record of any of the saga's topics. All of them are keyed by the order's id.
struct SagaCommand {
  using Content = std::variant<Unreadable, OrderStart, OrderCancel, StockRollback, ProcessOrder,
                               ProcessPayment, StockReply, CouponReply, PaymentReply,
                               SagaTimeout>;
  Content content;
  std::string order_id;  ///< In a record from outside: the `orderId` of its value.
  /// In one about an order that another record begins: its `userId`, where it has that.
  std::string user_id;
  std::string bytes;     ///< A record from outside as it came.

  /// What is wrong with a record from outside of that key; nothing if it is a command.
  std::string fault(const std::string& key) const {
    if (const auto* unreadable = std::get_if<Unreadable>(&content)) return unreadable->reason;
    return order_id == key ? std::string() : "orderId " + order_id + " is not the record's key";
  }
  bool readable(const std::string& key) const {
    return order_id == key && !std::holds_alternative<Unreadable>(content);
  }
};

/// Reads JSON with `parse`, and never throws: what cannot be read becomes Unreadable, so that the
/// topology itself can send it to the right dead letters. For sources only.
struct JsonCommandSerde {
  using Parse = SagaCommand::Content (*)(JsonFields& fields, Faults& faults);
  Parse parse;

  void serialize(const SagaCommand& command, std::string& out) const;
  void deserialize(BytesView bytes, SagaCommand& out) const;
  SchemaPtr schema() const { return Serde<JsonText>::schema(); }
};

SagaCommand::Content parse_order_start(JsonFields& fields, Faults& faults);
SagaCommand::Content parse_order_cancel(JsonFields& fields, Faults& faults);
SagaCommand::Content parse_stock_rollback(JsonFields& fields, Faults& faults);
SagaCommand::Content parse_process_order(JsonFields& fields, Faults& faults);
SagaCommand::Content parse_process_payment(JsonFields& fields, Faults& faults);

/// Reads one of our own records, in T's bytes, as the command it is.
template <typename T>
struct OwnCommandSerde {
  void serialize(const SagaCommand& command, std::string& out) const {
    Serde<T>::serialize(std::get<T>(command.content), out);
  }
  void deserialize(BytesView bytes, SagaCommand& out) const {
    auto* content = std::get_if<T>(&out.content);
    if (!content) content = &out.content.template emplace<T>();
    Serde<T>::deserialize(bytes, *content);
  }
  SchemaPtr schema() const { return Serde<T>::schema(); }
};

/// The header in which the gateway passes on what `order.start` has no fields for: a JSON object
/// with the optional members of `POST /orders`.
inline constexpr std::string_view kOrderOptionsHeader = "order-options";
/// Reads such a header. Returns what is wrong with it; empty if it can be read.
std::string read_order_options(std::string_view header, OrderOptions& out);
/// Tells the options of two orders apart by that header; 0 where there is none.
std::int64_t options_digest(std::string_view header);

}  // namespace thalweg::shop

/// A timeout is its deadline: a big-endian 64-bit integer.
template <>
struct thalweg::Serde<thalweg::shop::SagaTimeout> {
  static void serialize(const shop::SagaTimeout& value, std::string& out) {
    Serde<std::int64_t>::serialize(value.deadline, out);
  }
  static void deserialize(BytesView bytes, shop::SagaTimeout& out) {
    Serde<std::int64_t>::deserialize(bytes, out.deadline);
  }
  static SchemaPtr schema() { return Serde<std::int64_t>::schema(); }
};
