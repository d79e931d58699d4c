#pragma once

#include <functional>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/http_server.h>

#include "query/raw_client.h"

namespace thalweg::testing {

using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A running server with a few routes, and clients that connect to it.
class HttpStory : public ::testing::Test {
 protected:
  /// Long enough never to pass while a test runs, so that only what the test shortens can.
  static HttpServerOptions patient() {
    HttpServerOptions options;
    auto& limits = options.limits;
    limits.header_time = limits.body_time = limits.idle_time = limits.answer_time =
        limits.write_time = std::chrono::minutes(10);
    return options;
  }

  void serve(
      HttpServerOptions options = patient(),
      const std::function<void(HttpServer&)>& routes = [](HttpServer&) {}) {
    server_ = std::make_unique<HttpServer>(std::move(options));
    server_->route("GET", "/hello/{name}", [](HttpRequest& request, Responder responder) {
      responder.send(
          {.content_type = "text/plain", .body = "hello " + std::string(request.param("name"))});
    });
    server_->route("POST", "/echo", [](HttpRequest& request, Responder responder) {
      responder.send({.content_type = "text/plain", .body = request.take_body()});
    });
    routes(*server_);
    const auto started = server_->start();
    ASSERT_TRUE(started) << started.error().message;
  }

  std::unique_ptr<RawClient> connect() { return std::make_unique<RawClient>(server_->port()); }
  /// Sends the bytes and reads one answer.
  RawResponse answer_to(std::string_view bytes) {
    const auto client = connect();
    client->send(bytes);
    return client->read();
  }
  /// A server is well when a new client gets its answer.
  bool serves_others() { return connect()->get("/hello/you").body == "hello you"; }

  std::unique_ptr<HttpServer> server_;
};

}  // namespace thalweg::testing
