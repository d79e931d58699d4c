#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "commerce/s3_stub.h"
#include "end_to_end/shop_client.h"
#include "end_to_end/shop_process.h"
#include "kafka/kafka_cluster.h"
#include "stub_receiver.h"

namespace thalweg::testing {

/// How the shop is run.
enum class ShopMode {
  kEmbedded,       ///< One process, with the log inside it.
  kOnKafka,        ///< One process on Apache Kafka.
  kFourProcesses,  ///< On Apache Kafka: a gateway; orders; the rest; the rest and orders.
};
std::string name_of(ShopMode mode);

/// The shop in one of its modes, with the receivers of what it calls outside. Throws
/// std::runtime_error with what a process said if one does not become ready, or no broker starts.
class ShopRig {
 public:
  /// On the shared cluster, unless one is given: then its processes take its ways in turn, from
  /// the second one on.
  explicit ShopRig(ShopMode mode, KafkaCluster* cluster = nullptr);

  ShopMode mode() const { return mode_; }
  /// Where customers go.
  std::uint16_t port() const { return processes_.front()->port(); }
  end_to_end::ShopClient& customer() { return customer_; }
  /// Every process, the one that customers go to first.
  end_to_end::ShopProcess& process(std::size_t index) { return *processes_.at(index); }
  std::size_t processes() const { return processes_.size(); }
  /// By which of the cluster's ways a process reaches it.
  int way(std::size_t index) const;
  /// kill -9 of all that call the outside, and a new start.
  void kill_and_restart_deliveries();
  void kill_and_restart(std::size_t index);
  /// Waits until every process says that it is ready.
  void wait_until_ready();
  /// What all processes have said.
  std::string output() const;

  stub_receiver::StubReceiver& payments() { return payments_; }
  stub_receiver::StubReceiver& webhooks() { return *webhooks_; }
  /// Nobody listens where webhooks go, until they open again with empty books.
  void close_webhooks() { webhooks_->stop(); }
  void open_webhooks();
  /// Where processed orders go as lines of files, from every process that delivers.
  std::filesystem::path processed_files() const { return directory_.path() / "processed"; }
  /// Where they go as objects of the bucket `orders`.
  shop::S3Stub& bucket() { return bucket_; }

  static constexpr int kAttempts = 3;  ///< Of a delivery, before it is a dead letter.

 private:
  void add(const std::string& roles);
  std::vector<std::string> settings() const;

  const ShopMode mode_;
  KafkaCluster* const cluster_;  // Null: on the embedded log.
  end_to_end::TemporaryDirectory directory_;
  stub_receiver::StubReceiver payments_;
  shop::S3Stub bucket_{"AKIASHOP", "hunter2"};
  std::uint16_t webhooks_port_ = end_to_end::free_port();
  std::unique_ptr<stub_receiver::StubReceiver> webhooks_;
  std::vector<std::unique_ptr<end_to_end::ShopProcess>> processes_;
  end_to_end::ShopClient customer_{0};
};

}  // namespace thalweg::testing
