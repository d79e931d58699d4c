#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include "contract/log_fixture.h"
#include "kafka/network_proxy.h"
#include "kafka/programs.h"

namespace thalweg::testing {

/// Brokers of Apache Kafka (KRaft, each broker and controller in one) on loopback, with their data
/// in a directory that goes with them. They end with the test, also when that is killed.
class KafkaCluster {
 public:
  using Properties = std::map<std::string, std::string>;
  struct Options {
    int brokers = 1;
    /// Clients reach the brokers by a NetworkProxy each; among each other brokers do without.
    bool is_proxied = false;
    /// For server.properties of every broker, over the defaults.
    Properties properties = {};
  };

  /// Starts the brokers and waits until they answer. Throws std::runtime_error with the end of the
  /// log of one that does not.
  KafkaCluster() : KafkaCluster(Options{}) {}
  explicit KafkaCluster(Options options);
  ~KafkaCluster();
  KafkaCluster(const KafkaCluster&) = delete;
  KafkaCluster& operator=(const KafkaCluster&) = delete;

  /// The cluster that the tests of one program share; started at its first use.
  static KafkaCluster& shared();

  /// `127.0.0.1:PORT`, with commas between.
  std::string bootstrap_servers() const;
  int brokers() const { return static_cast<int>(nodes_.size()); }

  // Brokers go by 0, 1, 2.
  void kill(int broker);  ///< As by SIGKILL; its data stays.
  void start(int broker);
  void freeze(int broker);  ///< SIGSTOP.
  void thaw(int broker);
  /// What happens between a broker and its clients; of a cluster that is proxied.
  void set_network(int broker, NetworkProxy::State state);

 private:
  struct Node {
    std::uint16_t port = 0;
    std::uint16_t internal_port = 0;  ///< For the other brokers, if clients have a proxy.
    std::unique_ptr<NetworkProxy> proxy = {};
    std::uint16_t controller_port = 0;
    std::string directory;
    pid_t pid = -1;
  };
  void write_properties(std::size_t index);
  void format(const Node& node);
  void launch(Node& node);
  void wait_until_up(const Node& node) const;

  Options options_;
  TemporaryDirectory directory_;
  std::string cluster_id_;
  std::vector<Node> nodes_;
};

/// A port of loopback that nothing listens on at the moment.
std::uint16_t free_port();

/// Runs the main() of a class of Kafka's tools, such as org.apache.kafka.tools.TopicCommand.
ProgramResult run_kafka_class(const std::string& name, const std::vector<std::string>& arguments);

/// Where scripts/install-kafka put the jars, as a class path.
std::string kafka_class_path();

}  // namespace thalweg::testing
