#include "shop_process.h"

#include <algorithm>
#include <future>

#include <spdlog/spdlog.h>

#include <thalweg/runtime/async_producer.h>

#include "model.h"
#include "topics.h"
#include "topologies.h"
#include "wire_format_log.h"

namespace thalweg::shop {
namespace {

/// An answer that is gone before the saga has read it is stock or money that nobody gives back.
constexpr std::chrono::hours kReplyRetention{30 * 24};
constexpr std::chrono::hours kInboxRetention{24};
constexpr std::chrono::hours kViewRetention{7 * 24};

}  // namespace

ShopProcess::ShopProcess(ShopProcessOptions options) : options_(std::move(options)) {}

ShopProcess::~ShopProcess() { stop(); }

Status ShopProcess::start() {
  HttpServerOptions http{.listen = options_.listen, .threads = options_.http_threads};
  // Off loopback customers come with tokens of their own, and operators with theirs; else the
  // server refuses to listen there.
  http.bearer_token = options_.shop.admin_token;
  http.allow_remote = !options_.shop.auth_secret.empty() && !options_.shop.admin_token.empty();
  http.allow_remote_by = "auth.secret and admin.token";
  http.limits.connections = 4096;
  server_ = std::make_unique<HttpServer>(std::move(http));
  // First of all: a port that is taken should be known before any state is touched, and whoever
  // comes while the log is read back waits instead of being refused.
  if (auto listening = server_->listen(); !listening) return listening;
  auto opened = LocalEnvironment::open(options_.streams);
  if (!opened) return std::unexpected(opened.error());
  environment_ = *std::move(opened);
  options_.shop.clock = environment_->environment().clock;
  log_ = with_wire_formats(environment_->log(), options_.shop.flatbuffers_topics);
  if (auto named = name_this_process(); !named) return named;
  if (auto made = make_topics(); !made) return made;
  const bool with_gateway = plays("gateway");
  for (const Role& role : all_roles()) {
    const bool looks_on = !plays(role.name);
    if (role.topology && (!looks_on || (with_gateway && peers_))) add_application(role, looks_on);
  }
  const Environment shared = environment();
  std::vector<StreamsApplication*> applications;
  for (const auto& application : applications_) applications.push_back(application.get());
  queries_ = std::make_unique<QueryService>(*server_, applications, *shared.log, *shared.metrics,
                                            *shared.clock);
  if (with_gateway) {
    gateway_ = std::make_unique<Gateway>(*server_, by_role_, shared, options_.shop);
  }
  if (auto started = server_->start(shared.metrics); !started) return started;
  return start_applications();
}

bool ShopProcess::plays(std::string_view role) const {
  return std::ranges::find(options_.roles, role, &Role::name) != options_.roles.end();
}

Environment ShopProcess::environment() {
  Environment environment = environment_->environment();
  environment.log = log_.get();
  environment.peers = peers_.get();
  return environment;
}

/// Other processes ask this one where it listens, unless that was said.
Status ShopProcess::name_this_process() {
  if (!is_on_kafka()) return {};
  peers_ = http_peers(options_.shop.admin_token);
  auto& name = options_.streams.application_server;
  if (!name.empty()) return {};
  const std::string host = options_.listen.substr(0, options_.listen.rfind(':'));
  if (host == "0.0.0.0" || host == "[::]") {
    return thalweg::failure(ErrorCode::kInvalid,
                            "application.server is not set: on " + options_.listen +
                                " other processes cannot tell where this one is");
  }
  name = host + ":" + std::to_string(port());
  return {};
}

/// On Kafka each waits for brokers much of the time, so all at once.
Status ShopProcess::start_applications() {
  std::vector<std::future<Status>> starting;
  for (const auto& application : applications_) {
    starting.push_back(std::async(is_on_kafka() ? std::launch::async : std::launch::deferred,
                                  [&application] { return application->start(); }));
  }
  Status all;
  for (auto& one : starting) {
    if (auto started = one.get(); !started && all) all = started;
  }
  return all;
}

Status ShopProcess::make_topics() {
  Log& log = environment_->log();
  const auto make = [&](const std::string& name, const TopicPlan& plan) -> Status {
    if (log.topic(name)) return {};
    TopicSpec spec{.name = name, .partitions = options_.streams.log_default_partitions};
    if (plan.kind == TopicPlan::kReplies) spec.retention = kReplyRetention;
    if (plan.kind == TopicPlan::kInbox) spec.retention = kInboxRetention;
    if (plan.kind == TopicPlan::kViews) spec.retention = kViewRetention;
    if (plan.kind == TopicPlan::kTable) spec.cleanup = CleanupPolicy::kCompact;
    auto made = log.create_topic(spec);
    if (!made && made.error().code != ErrorCode::kAlreadyExists) return made;
    return {};
  };
  for (const TopicPlan& plan : topics::kAll) {
    if (auto made = make(plan.name, plan); !made) return made;
    if (plan.kind != TopicPlan::kForeign && plan.kind != TopicPlan::kViews) continue;
    if (auto made = make(std::string(plan.name) + ".dlq", {}); !made) return made;
  }
  return {};
}

void ShopProcess::add_application(const Role& role, bool looks_on) {
  StreamsConfig config = options_.streams;
  // Threads and metrics of the applications must be told apart.
  config.application_id = role.application_id;
  config.client_id += "-" + config.application_id;
  set_handlers(role, options_.processing_handler, config);
  set_pace(role.pace, config);
  if (looks_on) config.num_stream_threads = 0;
  applications_.push_back(std::make_unique<StreamsApplication>(
      role.topology(options_.shop), std::move(config), environment()));
  by_role_.add(role, *applications_.back());
}

std::string ShopProcess::failure() const {
  for (const auto& application : applications_) {
    if (const auto reason = application->failure()) {
      return application->config().application_id + ": " + *reason;
    }
  }
  return {};
}

void ShopProcess::add_demo_data() {
  AsyncProducer producer(*log_, "demo");
  const Timestamp now = environment_->environment().clock->wall_clock();
  const auto send = [&](const char* topic, const char* key, std::string value) {
    producer.send(topic, key, std::move(value), now, {}, [](Result<AsyncProducer::Sent> sent) {
      if (!sent) spdlog::warn("demo data: {}", sent.error().message);
    });
  };
  const auto product = [&](const char* id, const char* name, std::int64_t price) {
    StockCommand put{.kind = StockCommandKind::PUT, .quantity = 1000, .name = name};
    put.price = price;
    put.at = to_millis(now);
    std::string bytes;
    Serde<StockCommand>::serialize(put, bytes);
    send(topics::kProductCommands, id, std::move(bytes));
  };
  product("lantern", "Storm lantern", 4900);
  product("kettle", "Camping kettle", 2450);
  product("hammock", "Hammock", 7900);
  std::string user;
  Serde<User>::serialize({"demo@example.com", 33, "female"}, user);
  send(topics::kUsers, "demo", std::move(user));
  std::string deposit;
  Serde<AccountCommand>::serialize({.amount = 1'000'000, .order_id = {}, .command_id = "demo"},
                                   deposit);
  send(topics::kAccountCommands, "demo", std::move(deposit));
  producer.close();
}

void ShopProcess::stop() {
  if (gateway_) gateway_->stop_waiting();
  if (queries_) queries_->stop_waiting();
  if (server_) server_->stop();
  if (peers_) peers_->close();  // Nobody waits any longer.
  gateway_.reset();
  queries_.reset();
  for (const auto& application : applications_) application->close();
  server_.reset();
  applications_.clear();
  peers_.reset();
  log_.reset();
  environment_.reset();
}

}  // namespace thalweg::shop
