#include "gateway.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <thalweg/schemas/partitioning.h>

#include "gateway_context.h"
#include "tokens.h"

namespace thalweg::shop {
namespace {

constexpr int kHandlerThreads = 16;

}  // namespace

Body::Body(const HttpRequest& request, std::size_t depth_max) {
  auto parsed = parse_json(request.body(), depth_max);
  if (!parsed) {
    fault_ = "the body is not JSON: " + parsed.error().message;
  } else if (!parsed->is_object()) {
    fault_ = "the body is not a JSON object";
  } else {
    value_ = std::make_unique<boost::json::value>(*std::move(parsed));
  }
}

Body::~Body() = default;

const boost::json::object& Body::object() const { return value_->get_object(); }

HttpResponse bad_request(const Faults& faults) {
  return problem(400, "invalid_request", join(faults));
}

HttpResponse not_found(std::string_view what, std::string_view id) {
  return problem(404, "not_found", "no " + std::string(what) + " " + std::string(id));
}

HttpResponse conflict(std::string_view code, std::string_view detail) {
  return problem(409, code, detail);
}

HttpResponse unavailable(const Error& error) {
  auto response = problem(503, "unavailable", error.message, "ask again in a moment");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

HttpResponse too_busy() { return unavailable({ErrorCode::kUnavailable, "too many requests wait"}); }

std::string user_of(std::string caller, JsonFields& fields, Faults& faults) {
  auto named = fields.optional_text("userId");
  if (caller.empty() && (named ? named->empty() : !fields.has("userId"))) {
    faults.push_back("userId is missing, in the body and as the header X-User");
  } else if (!caller.empty() && named && *named != caller) {
    faults.push_back("userId is not the user who asks");
  }
  return caller.empty() ? std::move(named).value_or(std::string()) : std::move(caller);
}

std::size_t page_limit(const HttpRequest& request) {
  constexpr std::size_t kPageDefault = 50;
  const auto text = request.query("limit");
  if (!text) return kPageDefault;
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
  const bool whole = error == std::errc() && end == text->data() + text->size();
  return whole && limit <= kPageMax ? limit : 0;
}

std::string limit_fault() { return "limit is not between 1 and " + std::to_string(kPageMax); }

GatewayContext::GatewayContext(HttpServer& server, const Applications& applications,
                               Environment environment, ShopConfig config)
    : server_(server),
      applications_(applications),
      environment_(std::move(environment)),
      config_(std::move(config)),
      producer_(*environment_.log, "gateway"),
      watch_(*applications.of_role("orders")),
      orders_on_the_way_(std::make_shared<OrdersOnTheWay>(
          [this](OrdersOnTheWay::Work work) { run_soon(std::move(work)); })),
      auditor_(*applications.of_role("orders"), applications.of_role("coupons"), config_) {
  if (config_.view_log) view_log_.emplace(*environment_.log, *environment_.clock);
  // Blocked as they are most of their time, they are many.
  if (environment_.peers) threads_ = std::make_unique<HandlerThreads>(kHandlerThreads);
  for (const Role& role : all_roles()) {
    auto* application = applications.of_role(role.name);
    if (application) gates_.emplace(role.name, ReadyGate::of(server, *application));
  }
  if (auto* notifications = applications.of_role("notifications")) {
    inbox_ = std::make_unique<InboxFeed>(
        *notifications, [this](HandlerThreads::Work work) { return run_soon(std::move(work)); });
    alerts_ = std::make_unique<AlertFeed>(environment_);
  }
}

std::shared_ptr<InboxReader> GatewayContext::listen(InboxReader::Wish wish,
                                                    std::unique_ptr<InboxSink> sink) {
  auto reader = std::make_shared<InboxReader>(
      *applications_.of_role("notifications"),
      [this](HandlerThreads::Work work) { return run_soon(std::move(work)); }, std::move(wish),
      std::move(sink));
  inbox_->add(reader);
  return reader;
}

std::shared_ptr<ReadyGate> GatewayContext::gate(std::string_view role) const {
  const auto gate = gates_.find(role);
  return gate == gates_.end() ? nullptr : gate->second;
}

HttpResponse GatewayContext::not_played(std::string_view role) {
  return problem(503, "role_not_here", "this process does not play the role " + std::string(role));
}

void GatewayContext::stop_waiting() {
  for (const auto& [role, gate] : gates_) gate->close();
  if (inbox_) inbox_->finish_all();
  watch_.finish_all();
}

void GatewayContext::close() {
  stop_waiting();
  producer_.close();
  if (view_log_) view_log_->close();
  watch_.close();
  auditor_.close();
  if (inbox_) inbox_->close();
  if (alerts_) alerts_->close();
  if (threads_) threads_->close();
}

bool GatewayContext::run(HandlerThreads::Work work) {
  if (threads_) return threads_->run(std::move(work));
  work();
  return true;
}

bool GatewayContext::run_soon(HandlerThreads::Work work) {
  if (threads_) return threads_->run(std::move(work));
  server_.post(std::move(work));
  return true;
}

void GatewayContext::command(CommandRecord record, Responder responder,
                             std::move_only_function<HttpResponse()> answer) {
  command_then(std::move(record), std::move(responder),
               [answer = std::move(answer)](Responder waiting) mutable { waiting.send(answer()); });
}

void GatewayContext::command_then(CommandRecord record, Responder responder,
                                  std::move_only_function<void(Responder)> next) {
  // The callbacks of log and application are copyable; what they carry is not.
  struct Pending {
    Responder responder;
    std::move_only_function<void(Responder)> next;
  };
  auto pending = std::make_shared<Pending>(std::move(responder), std::move(next));
  producer_.send(std::move(record.topic), std::move(record.key), std::move(record.value),
                 environment_.clock->wall_clock(), std::move(record.headers),
                 [this, pending](Result<AsyncProducer::Sent> sent) {
                   if (!sent) return pending->responder.send(unavailable(sent.error()));
                   applications_.when_processed(sent->partition, sent->offset, [this, pending] {
                     const bool runs =
                         run_soon([pending] { pending->next(std::move(pending->responder)); });
                     if (!runs) pending->responder.send(too_busy());
                   });
                 });
}

void GatewayContext::accept(CommandRecord record, OrdersOnTheWay::Mark mark, Responder responder,
                            HttpResponse response) {
  struct Pending {
    OrdersOnTheWay::Mark mark;
    Responder responder;
    HttpResponse response;
  };
  auto pending =
      std::make_shared<Pending>(std::move(mark), std::move(responder), std::move(response));
  producer_.send(std::move(record.topic), std::move(record.key), std::move(record.value),
                 environment_.clock->wall_clock(), std::move(record.headers),
                 [this, pending](Result<AsyncProducer::Sent> sent) {
                   if (!sent) return pending->responder.send(unavailable(sent.error()));
                   // Where state is shared, another gateway may be asked next, which knows nothing
                   // of what is on its way here: the order is to be seen there, too.
                   if (!waits_for_others()) pending->responder.send(std::move(pending->response));
                   applications_.when_processed(sent->partition, sent->offset, [pending] {
                     if (pending->responder) pending->responder.send(std::move(pending->response));
                   });
                 });
}

void GatewayContext::when_listed(const std::string& user_id, Responder responder,
                                 std::move_only_function<void(Responder)> next) {
  struct Pending {
    Responder responder;
    std::move_only_function<void(Responder)> next;
  };
  auto pending = std::make_shared<Pending>(std::move(responder), std::move(next));
  const auto go_on = [this, pending] {
    if (!run_soon([pending] { pending->next(std::move(pending->responder)); })) {
      pending->responder.send(too_busy());
    }
  };
  orders_on_the_way_->when_all_arrived(user_id, [this, user_id, go_on] {
    // The commit an order arrives by writes what makes its row in the list, which is behind by what
    // stands in that one partition.
    const auto application = applications_.with_store(stores::kOrdersByUser);
    if (!application) return go_on();
    const auto views = (*application)->all_views(stores::kOrdersByUser);
    if (!views) return go_on();
    const TopicPartition input{orders_by_user_topic((*application)->config().application_id),
                               partition_of(user_id, static_cast<std::int32_t>(views->size()))};
    const auto range = environment_.log->range(input);
    if (!range || range->end == 0) return go_on();
    (*application)->when_processed(input, range->end - 1, go_on);
  });
}

Result<std::shared_ptr<const StoreView>> GatewayContext::partition_view(const char* store,
                                                                        const std::string& key) {
  const auto application = applications_.with_store(store);
  if (!application) return std::unexpected(application.error());
  auto views = (*application)->all_views(store);
  if (!views) return std::unexpected(views.error());
  const auto partition = partition_of(key, static_cast<std::int32_t>(views->size()));
  auto& view = (*views)[static_cast<std::size_t>(partition)];
  if (!view) return failure(ErrorCode::kUnavailable, "the partition is not restored yet");
  return std::move(view);
}

Result<std::vector<std::shared_ptr<const StoreView>>> GatewayContext::views(const char* store) {
  const auto application = applications_.with_store(store);
  if (!application) return std::unexpected(application.error());
  return (*application)->all_views(store);
}

Result<GatewayContext::Rows> GatewayContext::rows(const char* store, const std::string& after,
                                                  std::size_t limit) {
  const auto all = views(store);
  if (!all) return std::unexpected(all.error());
  StoreView::Scan scan{.limit = limit};
  if (!after.empty()) scan.from = after + '\0';
  Rows rows;
  for (const auto& view : *all) {
    if (!view) return failure(ErrorCode::kUnavailable, "a partition is not restored yet");
    auto part = view->scan(scan);
    if (!part) return std::unexpected(part.error());
    rows.commit = std::max(rows.commit, view->last_commit());
    std::ranges::move(*part, std::back_inserter(rows.entries));
  }
  std::ranges::sort(rows.entries, {}, &StoredEntry::key);
  if (rows.entries.size() > limit) rows.entries.resize(limit);
  return rows;
}

void GatewayContext::send_durable(CommitSequence commit, Responder responder,
                                  HttpResponse response) {
  auto& durability = environment_.log->durability();
  if (durability.durable() >= commit) return responder.send(std::move(response));
  auto pending = std::make_shared<std::pair<Responder, HttpResponse>>(std::move(responder),
                                                                      std::move(response));
  durability.when_durable(commit, [pending] { pending->first.send(std::move(pending->second)); });
}

std::expected<std::string, HttpResponse> GatewayContext::caller(const HttpRequest& request) const {
  auto all = claims(request);
  if (!all) return std::unexpected(std::move(all.error()));
  return std::move(all->user_id);
}

std::expected<Claims, HttpResponse> GatewayContext::claims(const HttpRequest& request) const {
  if (config_.auth_secret.empty()) {
    const auto user = request.header("X-User").value_or("");
    if (!is_id(user)) return std::unexpected(bad_request({"X-User " + id_fault()}));
    return Claims{.user_id = std::string(user)};
  }
  const auto token = request.bearer_token();
  auto claims = read_token(token, config_.auth_secret, now());
  if (claims) return *std::move(claims);
  auto response = problem(401, "unauthorized", claims.error().message);
  response.headers.emplace_back("WWW-Authenticate",
                                token.empty() ? "Bearer" : "Bearer error=\"invalid_token\"");
  return std::unexpected(std::move(response));
}

std::optional<HttpResponse> GatewayContext::refusal(const HttpRequest& request,
                                                    std::string_view user) const {
  auto asking = caller(request);
  if (!asking) return std::move(asking.error());
  if (asking->empty() || *asking == user) return {};
  return problem(403, "forbidden", "this belongs to another user");
}

std::optional<HttpResponse> GatewayContext::stranger(const HttpRequest& request) const {
  if (asks_operators_for_a_token()) return {};
  auto asking = caller(request);
  if (asking) return {};
  return std::move(asking.error());
}

bool GatewayContext::is_operator(const HttpRequest& request) const {
  if (!asks_operators_for_a_token()) return caller(request).has_value();
  return same_secret(request.bearer_token(), config_.admin_token);
}

Gateway::Gateway(HttpServer& server, const Applications& applications, Environment environment,
                 ShopConfig config)
    : context_(std::make_shared<GatewayContext>(server, applications, std::move(environment),
                                                std::move(config))) {
  add_order_routes(context_);
  add_user_routes(context_);
  add_product_routes(context_);
  add_coupon_routes(context_);
  add_delivery_routes(context_);
  add_ranking_routes(context_);
  add_analytics_routes(context_);
  add_view_routes(context_);
  add_event_routes(context_);
  add_socket_routes(context_);
  add_page_routes(context_);
  add_route(
      context_, "GET", "/audit",
      [](const ContextPtr& context, HttpRequest&, Responder responder) {
        context->auditor().audit(std::move(responder));
      },
      "orders", kForOperators);
}

Gateway::~Gateway() { context_->close(); }

void Gateway::stop_waiting() { context_->stop_waiting(); }

}  // namespace thalweg::shop
