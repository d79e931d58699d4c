#include "shop_process.h"

#include <spdlog/spdlog.h>

#include <thalweg/runtime/async_producer.h>

#include "model.h"
#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

/// The topics of answers on their way: whoever was down longer has timed out.
constexpr std::chrono::hours kLoopRetention{24};
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
  http.limits.connections = 4096;
  server_ = std::make_unique<HttpServer>(std::move(http));
  // First of all: a port that is taken should be known before any state is touched, and whoever
  // comes while the log is read back waits instead of being refused.
  if (auto listening = server_->listen(); !listening) return listening;
  auto environment = LocalEnvironment::open(options_.streams);
  if (!environment) return std::unexpected(environment.error());
  environment_ = *std::move(environment);
  if (auto made = make_topics(); !made) return made;
  bool with_gateway = false;
  for (const Role* role : options_.roles) {
    if (role->topology) {
      add_application(*role);
    } else {
      with_gateway = true;
    }
  }
  const Environment shared = environment_->environment();
  std::vector<StreamsApplication*> applications;
  for (const auto& application : applications_) applications.push_back(application.get());
  queries_ = std::make_unique<QueryService>(*server_, applications, *shared.log, *shared.metrics,
                                            *shared.clock);
  if (with_gateway) {
    gateway_ = std::make_unique<Gateway>(*server_, by_role_, shared, options_.shop);
  }
  if (auto started = server_->start(shared.metrics); !started) return started;
  for (const auto& application : applications_) {
    if (auto started = application->start(); !started) return started;
  }
  return {};
}

Status ShopProcess::make_topics() {
  Log& log = environment_->log();
  const auto make = [&](const std::string& name, const TopicPlan& plan) -> Status {
    if (log.topic(name)) return {};
    TopicSpec spec{.name = name, .partitions = options_.streams.log_default_partitions};
    if (plan.kind == TopicPlan::kLoop) spec.retention = kLoopRetention;
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

void ShopProcess::add_application(const Role& role) {
  StreamsConfig config = options_.streams;
  // Threads and metrics of the applications must be told apart.
  config.application_id = role.application_id;
  config.client_id += "-" + config.application_id;
  // What a source cannot read stops nobody.
  config.deserialization_handler = FailureHandling::kDeadLetter;
  config.dead_letter_topic = "{topic}.dlq";
  set_pace(role.pace, config);
  applications_.push_back(std::make_unique<StreamsApplication>(
      role.topology(options_.shop), std::move(config), environment_->environment()));
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
  AsyncProducer producer(environment_->log(), "demo");
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
  gateway_.reset();
  queries_.reset();
  for (const auto& application : applications_) application->close();
  server_.reset();
  applications_.clear();
  environment_.reset();
}

}  // namespace thalweg::shop
