#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <thalweg/runtime/http_server.h>
#include <thalweg/runtime/local_environment.h>
#include <thalweg/runtime/peers.h>
#include <thalweg/runtime/query_server.h>
#include <thalweg/runtime/streams_application.h>

#include "gateway.h"
#include "roles.h"
#include "shop_config.h"

namespace thalweg::shop {

struct ShopProcessOptions {
  StreamsConfig streams;  ///< Of every application but for its id.
  ShopConfig shop;
  std::string listen = "127.0.0.1:8080";
  std::vector<const Role*> roles = parse_roles(names_of_all_roles());
  int http_threads = 1;
  /// `processing.exception.handler`; absent: each role does as suits it.
  std::optional<FailureHandling> processing_handler = {};
};

/// The shop in one process: storage and log, the applications of its roles, HTTP.
class ShopProcess {
 public:
  explicit ShopProcess(ShopProcessOptions options);
  ~ShopProcess();  ///< As stop().

  /// Opens the data and begins to answer; `GET /readyz` tells when all state is restored. An error
  /// says what has to be changed.
  Status start();
  /// Takes no more requests, commits, writes the state and closes. May be called again.
  void stop();
  std::uint16_t port() const { return server_ ? server_->port() : 0; }
  /// Why an application stopped by itself; empty while all is well.
  std::string failure() const;
  /// Adds a few products and a customer, once.
  void add_demo_data();

 private:
  Status make_topics();
  /// With `looks_on`, one that answers from the tasks of other processes.
  void add_application(const Role& role, bool looks_on);
  Environment environment();
  bool plays(std::string_view role) const;
  bool is_on_kafka() const { return !options_.streams.bootstrap_servers.empty(); }
  Status name_this_process();
  Status start_applications();

  ShopProcessOptions options_;
  std::unique_ptr<LocalEnvironment> environment_;
  std::unique_ptr<Log> log_;      // The environment's, with wire formats.
  std::unique_ptr<Peers> peers_;  // Null on the embedded log: there are no other processes.
  std::vector<std::unique_ptr<StreamsApplication>> applications_;
  Applications by_role_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<QueryService> queries_;
  std::unique_ptr<Gateway> gateway_;
};

}  // namespace thalweg::shop
