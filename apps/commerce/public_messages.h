#pragma once

#include <thalweg/schemas/json.h>

#include "model.h"

// The JSON of the public topics, each made from one event. Field names are a contract.
namespace thalweg::shop {

/// `[{productId, quantity}]`
void append_items(const std::vector<Item>& items, std::string& out);
/// `[{productId, quantity, price}]`
void append_priced_items(const std::vector<Item>& items, std::string& out);

// Fan-out by domain.
JsonText inventory_event(const OrderEvent& event);
JsonText payment_event(const OrderEvent& event);
JsonText notification_event(const OrderEvent& event);
JsonText analytics_event(const OrderEvent& event);

JsonText order_completed(const OrderEvent& event);
JsonText order_processed(const OrderEvent& event);
JsonText external_payment_event(const OrderEvent& event);

// Choreography.
JsonText stock_success(const OrderEvent& event);
JsonText order_created(const OrderEvent& event);  ///< `payment.request` too.
JsonText payment_success(const OrderEvent& event);
JsonText order_cancel(const OrderEvent& event);
JsonText stock_rollback(const OrderEvent& event);

/// `type` is a name of ProductEvent: CREATED, UPDATED, RESTOCKED, SOLD_OUT.
JsonText product_event(std::string_view type, const std::string& product_id, const Stock& stock,
                       std::int64_t at);

}  // namespace thalweg::shop
