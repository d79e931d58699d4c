#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace thalweg::shop {

/// Orders that were accepted and that queries cannot see yet: they are durable in `order.start`,
/// and a commit of `order-service` will make their rows. Whoever asks for one waits here, so that
/// an order can be accepted before it is looked at, and is still seen by every later request.
/// Thread-safe.
class OrdersOnTheWay : public std::enable_shared_from_this<OrdersOnTheWay> {
 public:
  using Work = std::move_only_function<void()>;
  using Run = std::function<void(Work)>;

  /// Says that an order is on its way, until the last copy of it is gone.
  using Mark = std::shared_ptr<const void>;

  /// Those who waited are handed to `run`, by the thread that gave the mark up.
  explicit OrdersOnTheWay(Run run) : run_(std::move(run)) {}

  /// Nothing if an order of that id is on its way already.
  Mark begin(std::string order_id, std::string user_id);
  bool knows(const std::string& order_id) const;
  /// Runs `work` once no order of that id is on its way; within this call if none is now.
  void when_arrived(const std::string& order_id, Work work);
  /// Runs `work` once all orders have arrived that are on their way for the user now; within this
  /// call if there are none.
  void when_all_arrived(const std::string& user_id, Work work);
  /// Whose order is on its way under that id.
  std::optional<std::string> user_of(const std::string& order_id) const;

 private:
  struct Order {
    std::string user_id;
    std::uint32_t bucket = 0;  ///< Of its user.
    std::vector<Work> waiting;
  };
  static constexpr std::size_t kBuckets = 4096;
  static std::uint32_t bucket_of(const std::string& user_id);
  void arrived(const std::string& order_id);

  const Run run_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Order> orders_;
  // How many orders are on their way by a hash of their users: orders are counted at next to no
  // cost, and whoever lists those of a user mostly sees at once that there are none to look for.
  std::array<std::uint32_t, kBuckets> by_user_{};
};

}  // namespace thalweg::shop
