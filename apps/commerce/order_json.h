#pragma once

#include "model.h"

namespace thalweg::shop {

/// An order as `GET /orders/{id}` shows it.
void append_order(const std::string& order_id, const Order& order, std::string& out);

/// Its history as `GET /orders/{id}/events` shows it: an array, oldest first.
void append_history(const std::string& order_id, const Order& order, std::string& out);

}  // namespace thalweg::shop
