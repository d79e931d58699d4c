#pragma once

#include "model.h"

namespace thalweg::shop {

/// The read side: what `event` makes of the order's row.
Order fold(const OrderEvent& event, Order order);

/// Whether the event is a step of the history that customers see.
inline bool in_history(EventType type) { return type <= EventType::ORDER_CANCELLED; }

}  // namespace thalweg::shop
