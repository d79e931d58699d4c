#include "orders_on_the_way.h"

namespace thalweg::shop {

OrdersOnTheWay::Mark OrdersOnTheWay::begin(std::string order_id, std::string user_id) {
  {
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = orders_.try_emplace(order_id);
    if (!is_new) return nullptr;
    place->second.user_id = std::move(user_id);
  }
  return {this, [self = shared_from_this(), order_id = std::move(order_id)](const void*) {
            self->arrived(order_id);
          }};
}

bool OrdersOnTheWay::knows(const std::string& order_id) const {
  const std::lock_guard lock(mutex_);
  return orders_.contains(order_id);
}

void OrdersOnTheWay::when_arrived(const std::string& order_id, Work work) {
  {
    const std::lock_guard lock(mutex_);
    const auto order = orders_.find(order_id);
    if (order != orders_.end()) return order->second.waiting.push_back(std::move(work));
  }
  work();
}

std::optional<std::string> OrdersOnTheWay::user_of(const std::string& order_id) const {
  const std::lock_guard lock(mutex_);
  const auto order = orders_.find(order_id);
  if (order == orders_.end()) return {};
  return order->second.user_id;
}

void OrdersOnTheWay::arrived(const std::string& order_id) {
  std::vector<Work> waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto order = orders_.find(order_id);
    waiting = std::move(order->second.waiting);
    orders_.erase(order);
  }
  for (Work& work : waiting) run_(std::move(work));
}

}  // namespace thalweg::shop
