#include "orders_on_the_way.h"

#include <atomic>

namespace thalweg::shop {

std::uint32_t OrdersOnTheWay::bucket_of(const std::string& user_id) {
  return static_cast<std::uint32_t>(std::hash<std::string>()(user_id) % kBuckets);
}

OrdersOnTheWay::Mark OrdersOnTheWay::begin(std::string order_id, std::string user_id) {
  const auto bucket = bucket_of(user_id);
  {
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = orders_.try_emplace(order_id);
    if (!is_new) return nullptr;
    place->second.user_id = std::move(user_id);
    place->second.bucket = bucket;
    ++by_user_[bucket];
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

void OrdersOnTheWay::when_all_arrived(const std::string& user_id, Work work) {
  struct All {
    Work work;
    std::atomic<std::size_t> left = 0;
  };
  const auto all = std::make_shared<All>();
  all->work = std::move(work);
  const auto bucket = bucket_of(user_id);
  {
    const std::lock_guard lock(mutex_);
    auto candidates = by_user_[bucket];
    for (auto order = orders_.begin(); candidates > 0 && order != orders_.end(); ++order) {
      if (order->second.bucket != bucket) continue;
      --candidates;
      if (order->second.user_id != user_id) continue;
      ++all->left;
      order->second.waiting.push_back([all] {
        if (all->left.fetch_sub(1) == 1) all->work();
      });
    }
    if (all->left > 0) return;
  }
  all->work();
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
    --by_user_[order->second.bucket];
    orders_.erase(order);
  }
  for (Work& work : waiting) run_(std::move(work));
}

}  // namespace thalweg::shop
