#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "query/raw_client.h"

namespace thalweg::end_to_end {

/// How an order ended, as its customer reads it.
struct OrderEnd {
  std::string status;
  std::string reason;
  bool operator==(const OrderEnd&) const = default;
};
void PrintTo(const OrderEnd& end, std::ostream* out);

inline OrderEnd completed() { return {"COMPLETED", ""}; }
inline OrderEnd cancelled_for(std::string reason) { return {"CANCELLED", std::move(reason)}; }

/// How often each order is in the files that processed orders are delivered to, all together.
std::map<std::string, int> orders_in_files(const std::filesystem::path& directory);

/// One customer with a simple client: a connection per request, everything said out loud.
/// Requests throw std::runtime_error with the answer when it is not the one that was hoped for.
class ShopClient {
 public:
  explicit ShopClient(std::uint16_t port) : port_(port) {}

  void stock(const std::string& product, std::int64_t price, std::int64_t units);
  void register_user(const std::string& user);
  void deposit(const std::string& user, std::int64_t amount);
  /// The orderId of the 202.
  std::string order(const std::string& user, const std::string& product, std::int64_t quantity);
  /// Asks until the order has ended; the last answer if it does not within 90 s.
  OrderEnd end_of(const std::string& order_id);
  /// Units available of a product. A cancelled order gives its units back a moment after it says
  /// so: asks until there are as many as `expected`, for up to a minute.
  std::int64_t available(const std::string& product, std::int64_t expected);
  /// What a user has left.
  std::int64_t balance(const std::string& user);
  int audit_status() { return request("GET", "/audit").status; }

  /// Status 0 when nobody answers.
  testing::RawResponse request(std::string_view method, const std::string& path,
                               const std::string& body = {}, const std::string& headers = {});

 private:
  testing::RawResponse expect_success(std::string_view method, const std::string& path,
                                      const std::string& body = {});
  std::uint16_t port_;
};

}  // namespace thalweg::end_to_end
