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
    /// How many ways there are to each broker, with a NetworkProxy on each of them. None: clients
    /// connect to it itself, as brokers among each other do anyway.
    int ways = 0;
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

  /// `127.0.0.1:PORT`, with commas between. Who begins on one of the ways stays on it.
  std::string bootstrap_servers(int way = 0) const;
  int brokers() const { return static_cast<int>(nodes_.size()); }
  int ways() const { return options_.ways; }

  // Brokers go by 0, 1, 2.
  void kill(int broker);  ///< As by SIGKILL; its data stays.
  void start(int broker);
  void freeze(int broker);  ///< SIGSTOP.
  void thaw(int broker);
  /// What happens between a broker and its clients, on every way.
  void set_network(int broker, NetworkProxy::State state);
  /// What happens between all brokers and the clients on one way.
  void set_way(int way, NetworkProxy::State state);
  /// Makes one broker the coordinator of all groups, and another one that of all transactions.
  void move_coordinators(int of_groups, int of_transactions);

 private:
  struct Node {
    std::uint16_t port = 0;  ///< For the other brokers, and for clients, unless there are ways.
    std::vector<std::uint16_t> way_ports = {};  ///< Behind the proxies.
    std::vector<std::unique_ptr<NetworkProxy>> proxies = {};
    std::uint16_t controller_port = 0;
    std::string directory;
    pid_t pid = -1;
  };
  void write_properties(std::size_t index);
  void format(const Node& node);
  void launch(Node& node);
  void wait_until_up(const Node& node) const;
  std::string led_by(const std::string& topic, int broker) const;

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
