#include "end_to_end/shop_client.h"

#include <chrono>
#include <poll.h>

#include <fstream>
#include <ostream>
#include <stdexcept>
#include <system_error>

#include "flashsale/json_text.h"

namespace thalweg::end_to_end {

using flashsale::json_integer_member;
using flashsale::json_string_member;
using testing::RawClient;
using testing::RawResponse;

void PrintTo(const OrderEnd& end, std::ostream* out) { *out << end.status << ' ' << end.reason; }

RawResponse ShopClient::request(std::string_view method, const std::string& path,
                                const std::string& body, const std::string& headers) {
  try {
    RawClient client(port_);
    const std::string all = "Connection: close\r\n" + headers;
    if (method == "GET") return client.get(path, all);
    return client.request(method, path, body, "Content-Type: application/json\r\n" + all);
  } catch (const std::runtime_error&) {
    return {};  // No connection.
  }
}

RawResponse ShopClient::expect_success(std::string_view method, const std::string& path,
                                       const std::string& body) {
  RawResponse response = request(method, path, body);
  // A shop that is getting its tasks asks to come again; what can be repeated is.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (response.status == 503 && method != "POST" &&
         std::chrono::steady_clock::now() < deadline) {
    response = request(method, path, body);
  }
  if (response.status / 100 != 2) {
    throw std::runtime_error(std::string(method) + " " + path + " " + body + " answered " +
                             std::to_string(response.status) + ": " + response.body);
  }
  return response;
}

void ShopClient::stock(const std::string& product, std::int64_t price, std::int64_t units) {
  expect_success("PUT", "/products/" + product,
                 R"({"name":")" + product + R"(","price":)" + std::to_string(price) +
                     R"(,"stock":)" + std::to_string(units) + "}");
}

void ShopClient::register_user(const std::string& user) {
  expect_success("PUT", "/users/" + user,
                 R"({"email":")" + user + R"(@example.org","age":30,"gender":"other"})");
}

void ShopClient::deposit(const std::string& user, std::int64_t amount) {
  expect_success("POST", "/users/" + user + "/deposit",
                 R"({"amount":)" + std::to_string(amount) + "}");
}

std::string ShopClient::order(const std::string& user, const std::string& product,
                              std::int64_t quantity) {
  const RawResponse response = expect_success(
      "POST", "/orders",
      R"({"userId":")" + user + R"(","items":[{"productId":")" + product + R"(","quantity":)" +
          std::to_string(quantity) + "}]}");
  const auto id = json_string_member(response.body, "orderId");
  if (response.status != 202 || !id) throw std::runtime_error("no order: " + response.body);
  return *id;
}

OrderEnd ShopClient::end_of(const std::string& order_id) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(90);
  OrderEnd end;
  do {
    const RawResponse response = request("GET", "/orders/" + order_id);
    end.status = json_string_member(response.body, "status")
                     .value_or("HTTP " + std::to_string(response.status));
    end.reason = json_string_member(response.body, "reason").value_or("");
    if (end.status == "COMPLETED" || end.status == "CANCELLED") return end;
    ::poll(nullptr, 0, 5);
  } while (std::chrono::steady_clock::now() < deadline);
  return end;
}

std::int64_t ShopClient::available(const std::string& product, std::int64_t expected) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (;;) {
    const auto body = expect_success("GET", "/products/" + product + "/stock").body;
    const auto units = json_integer_member(body, "available").value_or(-1);
    if (units == expected || std::chrono::steady_clock::now() >= deadline) return units;
    ::poll(nullptr, 0, 5);
  }
}

std::int64_t ShopClient::balance(const std::string& user) {
  const auto body = expect_success("GET", "/users/" + user + "/balance").body;
  return json_integer_member(body, "balance").value_or(-1);
}

std::map<std::string, int> orders_in_files(const std::filesystem::path& directory) {
  std::map<std::string, int> orders;
  std::error_code not_there;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, not_there)) {
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      ++orders[json_string_member(line, "orderId").value_or("no order: " + line)];
    }
  }
  return orders;
}

}  // namespace thalweg::end_to_end
