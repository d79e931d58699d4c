#include "kafka/shop_rig.h"

#include <chrono>
#include <stdexcept>
#include <thread>

namespace thalweg::testing {

namespace {

using end_to_end::ShopProcess;

constexpr const char* kAllRoles =
    "gateway,orders,coupons,views,ranking,analytics,notifications,choreography,delivery";
constexpr const char* kTheRest =
    "coupons,views,ranking,analytics,notifications,choreography,delivery";

// For what must come, however busy the machine is.
constexpr std::chrono::minutes kPatience(5);

void expect_started(const Status& started) {
  if (!started) throw std::runtime_error("a receiver does not start: " + started.error().message);
}

}  // namespace

std::string name_of(ShopMode mode) {
  switch (mode) {
    case ShopMode::kEmbedded:
      return "on the embedded log";
    case ShopMode::kOnKafka:
      return "on Apache Kafka, as one process";
    case ShopMode::kFourProcesses:
      return "on Apache Kafka, as four processes";
  }
  return "?";
}

ShopRig::ShopRig(ShopMode mode, KafkaCluster* cluster)
    : mode_(mode),
      cluster_(cluster || mode == ShopMode::kEmbedded ? cluster : &KafkaCluster::shared()) {
  expect_started(payments_.start());
  open_webhooks();
  if (mode_ == ShopMode::kFourProcesses) {
    add("gateway");
    add("orders");
    add(kTheRest);
    add(std::string("orders,") + kTheRest);
  } else {
    add(kAllRoles);
  }
  for (const auto& process : processes_) process->start();
  wait_until_ready();
  customer_ = end_to_end::ShopClient(port());
}

// Few threads and short silences: these shops share two cores and live for seconds.
std::vector<std::string> ShopRig::settings() const {
  std::vector<std::string> arguments;
  for (const std::string& setting :
       {std::string("num.stream.threads=1"), std::string("consumer.session.timeout.ms=2000"),
        std::string("consumer.heartbeat.interval.ms=500"),
        "payment.provider.url=http://127.0.0.1:" + std::to_string(payments_.port()),
        std::string("payment.provider.timeout.ms=500"),
        std::string("payment.provider.retry.ms=100,200,400"),
        "webhook.url=http://127.0.0.1:" + std::to_string(webhooks_port_),
        std::string("webhook.timeout.ms=1000"), std::string("delivery.retry.ms=200,2500"),
        "order.processed.directory=" + processed_files().string(),
        "order.processed.s3.url=http://127.0.0.1:" + std::to_string(bucket_.port()) + "/orders",
        std::string("order.processed.s3.access.key=AKIASHOP"),
        std::string("order.processed.s3.secret.key=hunter2"),
        std::string("delivery.retry.jitter.percent=0")}) {
    arguments.insert(arguments.end(), {"--set", setting});
  }
  return arguments;
}

void ShopRig::add(const std::string& roles) {
  std::map<std::string, std::string> environment;
  if (cluster_) {
    environment["KAFKA_BROKERS"] = cluster_->bootstrap_servers(way(processes_.size()));
  }
  auto arguments = settings();
  arguments.insert(arguments.end(), {"--roles", roles});
  const auto number = std::to_string(processes_.size());
  processes_.push_back(
      std::make_unique<ShopProcess>(directory_.path() / ("data" + number), environment, arguments));
}

int ShopRig::way(std::size_t index) const {
  return cluster_->ways() == 0 ? 0 : static_cast<int>(index + 1) % cluster_->ways();
}

void ShopRig::wait_until_ready() {
  for (const auto& process : processes_) {
    if (!process->becomes_ready(kPatience)) {
      throw std::runtime_error("the shop " + name_of(mode_) + " is not ready:\n" + output());
    }
  }
  // Tasks may still move after each has said so: until every row can be read.
  end_to_end::ShopClient customer(port());
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (customer.audit_status() != 200) {
    if (std::chrono::steady_clock::now() > end) {
      throw std::runtime_error("the shop " + name_of(mode_) + " cannot be read:\n" + output());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void ShopRig::kill_and_restart_deliveries() {
  const std::size_t first = mode_ == ShopMode::kFourProcesses ? 2 : 0;
  for (std::size_t i = first; i < processes_.size(); ++i) processes_[i]->process().kill_hard();
  for (std::size_t i = first; i < processes_.size(); ++i) processes_[i]->start();
  wait_until_ready();
}

void ShopRig::kill_and_restart(std::size_t index) {
  process(index).process().kill_hard();
  process(index).start();
}

std::string ShopRig::output() const {
  std::string all;
  for (const auto& process : processes_) all += process->process().output();
  return all;
}

void ShopRig::open_webhooks() {
  webhooks_ =
      std::make_unique<stub_receiver::StubReceiver>("127.0.0.1:" + std::to_string(webhooks_port_));
  expect_started(webhooks_->start());
}

}  // namespace thalweg::testing
