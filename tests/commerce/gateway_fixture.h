#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "query/raw_client.h"
#include "shop_process.h"

namespace thalweg::shop {

/// A whole shop in this process, asked over HTTP.
class GatewayTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "thalweg-gateway-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    open({});
  }
  void TearDown() override {
    shop_.reset();
    std::filesystem::remove_all(directory_);
  }
  void open(const ShopConfig& config) {
    begin(config);
    while (request("GET", "/readyz").status == 503) {
    }
  }
  /// Does not wait until the shop is ready.
  void begin(const ShopConfig& config) {
    shop_.reset();
    ShopProcessOptions options;
    options.streams.state_dir = directory_;
    options.listen = "127.0.0.1:0";
    options.shop = config;
    shop_ = std::make_unique<ShopProcess>(std::move(options));
    const auto started = shop_->start();
    ASSERT_TRUE(started.has_value()) << started.error().message;
  }

  testing::RawResponse request(std::string_view method, const std::string& target,
                      const std::string& body = {}, const std::string& headers = {}) {
    return testing::RawClient(shop_->port())
        .request(method, target, body, headers + "Connection: close\r\n");
  }
  boost::json::value asked(const std::string& target) {
    return boost::json::parse(request("GET", target).body);
  }

  void a_shop_with_lamps() {
    EXPECT_EQ(request("PUT", "/products/lamp", R"({"name":"Lamp","price":30,"stock":10})").status,
              201);
    EXPECT_EQ(request("PUT", "/users/ann", R"({"email":"ann@example.com","age":36})").status, 200);
    EXPECT_EQ(request("POST", "/users/ann/deposit", R"({"amount":100})").status, 200);
  }
  std::string order(const std::string& body, const std::string& headers = {}) {
    const auto answer = request("POST", "/orders", body, headers);
    EXPECT_EQ(answer.status, 202) << answer.body;
    return std::string(boost::json::parse(answer.body).at("orderId").as_string());
  }
  /// Asks until the order has left PROCESSING.
  std::string end_of(const std::string& id) {
    for (;;) {
      const std::string status(asked("/orders/" + id).at("status").as_string());
      if (status != "PROCESSING") return status;
    }
  }

  /// What is answered once it is `expected`; the last answer if none of many is.
  std::string eventually(const std::string& target, const std::string& expected) {
    std::string answer;
    for (int asked = 0; asked < 20'000 && answer != expected; ++asked) {
      answer = request("GET", target).body;
    }
    return answer;
  }

  static constexpr const char* kTwoLamps =
      R"({"userId":"ann","items":[{"productId":"lamp","quantity":2}]})";
  static constexpr const char* kTwoLampsLater =
      R"({"userId":"ann","items":[{"productId":"lamp","quantity":2}],"payment":"later"})";

  std::string directory_;
  std::unique_ptr<ShopProcess> shop_;
};

}  // namespace thalweg::shop
