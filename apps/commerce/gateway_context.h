#pragma once

#include <algorithm>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/fwd.hpp>

#include <thalweg/runtime/async_producer.h>
#include <thalweg/runtime/http_server.h>
#include <thalweg/runtime/json_text.h>
#include <thalweg/runtime/streams_application.h>

#include "alert_feed.h"
#include "applications.h"
#include "auditor.h"
#include "handler_threads.h"
#include "inbox_feed.h"
#include "json_fields.h"
#include "model.h"
#include "order_watch.h"
#include "orders_on_the_way.h"
#include "ready_gate.h"
#include "shop_config.h"
#include "text.h"
#include "tokens.h"
#include "topologies.h"
#include "view_log.h"

namespace thalweg::shop {

/// A record that a request becomes.
struct CommandRecord {
  std::string topic;
  std::string key;
  std::string value;
  Headers headers = {};
};

/// A body that is a JSON object, or the 400 that says why it is not.
class Body {
 public:
  explicit Body(const HttpRequest& request, std::size_t depth_max = kJsonDepthMax);
  ~Body();
  bool is_object() const { return value_ != nullptr; }
  const boost::json::object& object() const;
  const std::string& fault() const { return fault_; }

 private:
  std::unique_ptr<const boost::json::value> value_;  // An object, or null.
  std::string fault_;
};

HttpResponse bad_request(const Faults& faults);
HttpResponse not_found(std::string_view what, std::string_view id);
HttpResponse conflict(std::string_view code, std::string_view detail);
HttpResponse unavailable(const Error& error);
HttpResponse too_busy();

/// Whose command it is: the caller's, else the `userId` of the body. Notes a fault when there is
/// neither, or they differ.
std::string user_of(std::string caller, JsonFields& fields, Faults& faults);

inline constexpr std::size_t kPageMax = 500;
/// `limit` of the query; 0 if it is no number from 1 to kPageMax, which the fault says.
std::size_t page_limit(const HttpRequest& request);
std::string limit_fault();

/// What all routes share. Thread-safe.
class GatewayContext {
 public:
  GatewayContext(HttpServer& server, const Applications& applications, Environment environment,
                 ShopConfig config);

  void close();
  /// Answers the requests that wait for an application to be ready, or for an order to be decided;
  /// no more of them wait.
  void stop_waiting();
  HttpServer& server() { return server_; }
  /// Of the application that plays `role`; null when this process does not play it.
  std::shared_ptr<ReadyGate> gate(std::string_view role) const;
  static HttpResponse not_played(std::string_view role);
  /// Whether handlers may have to wait for other processes, and so run on threads of their own.
  bool waits_for_others() const { return threads_ != nullptr; }
  /// Runs `work` where it may wait; within this call when there is nobody to wait for. False, and
  /// it is dropped, when too much waits already.
  bool run(HandlerThreads::Work work);
  /// The same, and never within this call.
  bool run_soon(HandlerThreads::Work work);
  OrderWatch& watch() { return watch_; }
  OrdersOnTheWay& orders_on_the_way() { return *orders_on_the_way_; }
  Auditor& auditor() { return auditor_; }
  /// Null: views are not logged.
  ViewLog* view_log() { return view_log_ ? &*view_log_ : nullptr; }
  std::int64_t now() const { return to_millis(environment_.clock->wall_clock()); }

  /// Writes the record, waits until it is durable and processed, and sends what `answer` gives
  /// then.
  void command(CommandRecord record, Responder responder,
               std::move_only_function<HttpResponse()> answer);
  void command(CommandRecord record, Responder responder, HttpResponse answer) {
    command(std::move(record), std::move(responder),
            [answer = std::move(answer)]() mutable { return std::move(answer); });
  }
  /// The same, where `next` answers, perhaps later.
  void command_then(CommandRecord record, Responder responder,
                    std::move_only_function<void(Responder)> next);

  /// Writes the record that begins an order and sends `response` once it is durable. The order
  /// stays on its way until it is processed too.
  void accept(CommandRecord record, OrdersOnTheWay::Mark mark, Responder responder,
              HttpResponse response);

  /// Calls `next` where it may wait, once the list of the user's orders has all that were accepted
  /// before this call.
  void when_listed(const std::string& user_id, Responder responder,
                   std::move_only_function<void(Responder)> next);

  /// The row of `key`, with the commit that an answer made of it must wait for.
  template <typename V>
  struct Found {
    std::optional<V> row;
    CommitSequence commit = 0;
  };
  template <typename V>
  Result<Found<V>> find(const char* store, const std::string& key) {
    return read<V>(store, [&](const auto& rows) { return rows.get(key); });
  }
  /// The row of `key` in whichever partition it is: for stores whose keys do not tell.
  template <typename V>
  Result<Found<V>> find_in_all(const char* store, const std::string& key) {
    return read<V>(store, [&](const auto& rows) { return rows.find_in_all(key); });
  }
  /// The view of the store's partition that holds `key`.
  Result<std::shared_ptr<const StoreView>> partition_view(const char* store,
                                                          const std::string& key);

  /// The views of all partitions of the store; null for one that is not restored yet.
  Result<std::vector<std::shared_ptr<const StoreView>>> views(const char* store);
  /// Rows of all partitions together, by key.
  struct Rows {
    std::vector<StoredEntry> entries;
    CommitSequence commit = 0;
  };
  /// The first `limit` of them behind the key `after`.
  Result<Rows> rows(const char* store, const std::string& after, std::size_t limit);
  /// Whether an application keeps `store`: some are there only as far as they are configured.
  bool keeps(const char* store) const { return applications_.with_store(store).has_value(); }
  /// The application that does.
  Result<StreamsApplication*> keeper(const char* store) const {
    return applications_.with_store(store);
  }

  /// Sends `response` once `commit` is durable.
  void send_durable(CommitSequence commit, Responder responder, HttpResponse response);

  /// Sends what comes to the inbox, until the reader is over. Needs the role `notifications`.
  std::shared_ptr<InboxReader> listen(InboxReader::Wish wish, std::unique_ptr<InboxSink> sink);
  /// Nothing more is sent to it.
  void forget(InboxReader& reader) { inbox_->remove(reader); }
  /// What operators are told. Needs the role `notifications`, too.
  AlertFeed& alerts() { return *alerts_; }
  /// Whether whoever asks is believed to be who they say.
  bool is_development() const { return config_.auth_secret.empty(); }
  /// Whether what is the operators' needs their token.
  bool asks_operators_for_a_token() const { return !config_.admin_token.empty(); }

  /// Who asks. With `auth.secret`: whom the token speaks for; the answer to whoever has none is the
  /// error. Without: the header `X-User`, which is believed; empty when there is none.
  std::expected<std::string, HttpResponse> caller(const HttpRequest& request) const;
  /// The same with all that is said about them.
  std::expected<Claims, HttpResponse> claims(const HttpRequest& request) const;
  /// The answer to a request that may not see or change what belongs to `user`; nothing if it may.
  std::optional<HttpResponse> refusal(const HttpRequest& request, std::string_view user) const;
  /// The answer to a request of a route that is `kForOperators` and changes something; nothing if
  /// it may. Their token the server itself has seen. While there is none, whoever is known may.
  std::optional<HttpResponse> stranger(const HttpRequest& request) const;
  /// Whether whoever asks is an operator, on a route that is customers' as well: has the operators'
  /// token, or is known while there is none.
  bool is_operator(const HttpRequest& request) const;

 private:
  /// What `ask(rows)` gives of the store's rows.
  template <typename V, typename Ask>
  Result<Found<V>> read(const char* store, Ask ask) {
    const auto application = applications_.with_store(store);
    if (!application) return std::unexpected(application.error());
    const auto rows = (*application)->template store<std::string, V>(store);
    if (!rows) return std::unexpected(rows.error());
    auto entry = ask(*rows);
    if (!entry) return std::unexpected(entry.error());
    Found<V> found;
    if (*entry) found.row = std::move((*entry)->value);
    found.commit = rows->last_commit();
    return found;
  }

  HttpServer& server_;
  Applications applications_;
  Environment environment_;
  ShopConfig config_;
  std::map<std::string_view, std::shared_ptr<ReadyGate>> gates_;  // By role.
  AsyncProducer producer_;
  OrderWatch watch_;
  std::shared_ptr<OrdersOnTheWay> orders_on_the_way_;
  Auditor auditor_;
  std::optional<ViewLog> view_log_;
  std::unique_ptr<InboxFeed> inbox_;         // Null without the role `notifications`.
  std::unique_ptr<AlertFeed> alerts_;        // The same.
  std::unique_ptr<HandlerThreads> threads_;  // Null when all state is in this process.
};

using ContextPtr = std::shared_ptr<GatewayContext>;

// Each adds its routes.
void add_order_routes(const ContextPtr& context);
void add_user_routes(const ContextPtr& context);
void add_product_routes(const ContextPtr& context);
void add_coupon_routes(const ContextPtr& context);
void add_delivery_routes(const ContextPtr& context);
void add_ranking_routes(const ContextPtr& context);
void add_analytics_routes(const ContextPtr& context);
void add_view_routes(const ContextPtr& context);

/// Notes that whoever asks has looked at the product, and waits for nothing.
void publish_view(const ContextPtr& context, const HttpRequest& request,
                  const std::string& product_id);
void add_event_routes(const ContextPtr& context);
void add_socket_routes(const ContextPtr& context);
/// The page at `/`, whose files are part of the program.
void add_page_routes(const ContextPtr& context);

/// Routes of customers, or of everybody: handlers know by themselves who may do what.
inline constexpr HttpRouteOptions kForCustomers{.without_token = true};
/// Routes of operators: with `admin.token`, the server asks for it.
inline constexpr HttpRouteOptions kForOperators{};

/// Calls `handle(context, request, responder)` where it may wait.
template <typename Handle>
void serve(const ContextPtr& context, Handle handle, HttpRequest& request, Responder responder) {
  if (!context->waits_for_others()) return handle(context, request, std::move(responder));
  const auto held =
      std::make_shared<std::pair<HttpRequest, Responder>>(std::move(request), std::move(responder));
  const bool runs = context->run(
      [context, handle, held] { handle(context, held->first, std::move(held->second)); });
  if (!runs) held->second.send(too_busy());
}

/// Adds a route whose handler is `handle(context, request, responder)`, called when the application
/// that plays `role` is ready, where it may wait; 503 in a process that does not play it. `pattern`
/// names the query parameters that it reads, as that of HttpServer::route().
template <typename Handle>
void add_route(const ContextPtr& context, std::string_view method, std::string_view pattern,
               Handle handle, std::string_view role = "orders",
               HttpRouteOptions options = kForCustomers) {
  context->server().route(
      method, pattern,
      [context, handle, role, gate = context->gate(role)](HttpRequest& request,
                                                          Responder responder) {
        if (!gate) return responder.send(GatewayContext::not_played(role));
        if (gate->is_open()) return serve(context, handle, request, std::move(responder));
        gate->hold(std::move(responder),
                   [context, handle, held = std::move(request)](Responder waiting) mutable {
                     serve(context, handle, held, std::move(waiting));
                   });
      },
      options);
}

template <typename T>
std::string bytes_of(const T& value) {
  std::string bytes;
  Serde<T>::serialize(value, bytes);
  return bytes;
}

}  // namespace thalweg::shop
