#include <thalweg/topology/streams_builder.h>

#include "public_messages.h"
#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

using Id = std::string;

bool is_deducted(const Id&, const OrderEvent& event) {
  return event.type == EventType::INVENTORY_DEDUCTED;
}

bool asks_payment(const Id&, const OrderEvent& event) {
  return event.pay_now && (event.type == EventType::INVENTORY_DEDUCTED ||
                           event.type == EventType::COUPON_RESERVED ||
                           event.type == EventType::PAYMENT_REQUESTED);
}

bool is_paid(const Id&, const OrderEvent& event) {
  return event.type == EventType::PAYMENT_COMPLETED;
}

// A cancellation that came over one of the two topics is not written there again.

bool announces_cancel(const Id&, const OrderEvent& event) {
  return event.type == EventType::ORDER_CANCELLED && event.cause != Cause::ORDER_CANCEL;
}

bool announces_rollback(const Id&, const OrderEvent& event) {
  return event.type == EventType::ORDER_CANCELLED && event.deducted &&
         event.cause != Cause::STOCK_ROLLBACK;
}

}  // namespace

Topology build_choreography(const ShopConfig&) {
  StreamsBuilder builder;
  const auto events = builder.stream<Id, OrderEvent>(topics::kOrderEvents);
  const auto deducted = events.filter(is_deducted, {.name = "deducted"});
  deducted.map_values(stock_success).to(topics::kStockSuccess);
  deducted.map_values(order_created).to(topics::kOrderCreated);
  events.filter(asks_payment, {.name = "payment-asked"})
      .map_values(order_created)
      .to(topics::kPaymentRequest);
  events.filter(is_paid, {.name = "paid"})
      .map_values(payment_success)
      .to(topics::kPaymentSuccess);
  events.filter(announces_cancel, {.name = "cancelled"})
      .map_values(order_cancel)
      .to(topics::kOrderCancel);
  events.filter(announces_rollback, {.name = "rolled-back"})
      .map_values(stock_rollback)
      .to(topics::kStockRollback);
  return builder.build();
}

}  // namespace thalweg::shop
