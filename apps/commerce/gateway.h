#pragma once

#include <memory>

#include <thalweg/runtime/async_producer.h>
#include <thalweg/runtime/http_server.h>
#include <thalweg/runtime/streams_application.h>

#include "applications.h"
#include "shop_config.h"

namespace thalweg::shop {

class GatewayContext;

/// The shop over HTTP: orders, users, products, and the audit.
///
/// A 2xx to a command means that the command is durable and that every later request, of any
/// client, sees what became of it: the command is a record of a topic, and the answer waits for its
/// sync and for the commit that has passed it of each application here that reads the topic.
/// Answers to queries show committed state and wait until that is durable.
class Gateway {
 public:
  /// Adds its routes to `server`, which is not started yet. `orders` is among the applications,
  /// which are not started yet either. Everything given must outlive the gateway, and the server's
  /// stop() must come before its end.
  Gateway(HttpServer& server, const Applications& applications, Environment environment,
          ShopConfig config);
  ~Gateway();

  /// Answers the requests that wait for the shop to be ready, or for an order to be decided, and
  /// lets no more of them wait.
  void stop_waiting();

 private:
  std::shared_ptr<GatewayContext> context_;
};

}  // namespace thalweg::shop
