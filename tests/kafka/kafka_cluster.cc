#include "kafka/kafka_cluster.h"

#include <arpa/inet.h>
#include <chrono>
#include <fstream>
#include <signal.h>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "kafka/programs.h"

namespace thalweg::testing {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// Of the topics by which brokers coordinate groups and transactions.
constexpr int kCoordinatorPartitions = 4;

// A port that was free just now. All are asked for before any is used, so they differ.
class FreePort {
 public:
  FreePort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no free port on loopback");
    }
    port_ = ntohs(address.sin_port);
  }
  ~FreePort() { ::close(socket_); }
  std::uint16_t port() const { return port_; }

 private:
  int socket_;
  std::uint16_t port_ = 0;
};

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

// Fast to start, small to keep: these brokers live for seconds.
std::vector<std::string> java(const std::string& heap, const std::string& log_level) {
  return {"java",
          "-Xmx" + heap,
          "-Xms64m",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-Xshare:auto",
          "-Dorg.slf4j.simpleLogger.defaultLogLevel=" + log_level,
          "-cp",
          kafka_class_path()};
}

std::vector<std::string> operator+(std::vector<std::string> command,
                                   const std::vector<std::string>& more) {
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

}  // namespace

std::uint16_t free_port() { return FreePort().port(); }

std::string kafka_class_path() {
  const char* lib = std::getenv("THALWEG_KAFKA_LIB");
  if (lib && *lib) return std::string(lib) + "/*";
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::string root = cache && *cache ? cache : std::string(home ? home : "") + "/.cache";
  const std::string path = root + "/thalweg/kafka-4.1.1";
  if (!fs::exists(path)) {
    throw std::runtime_error(path + " is not there: run scripts/install-kafka");
  }
  return path + "/*";
}

KafkaCluster& KafkaCluster::shared() {
  static KafkaCluster cluster;
  return cluster;
}

KafkaCluster::KafkaCluster(Options options) : options_(std::move(options)) {
  cluster_id_ = "thalweg-tests-" + std::to_string(::getpid() % 100'000'000) + "AAAAAAAA";
  cluster_id_.resize(22, 'A');  // What 16 bytes are in Base64.
  nodes_.resize(static_cast<std::size_t>(options_.brokers));
  {
    std::vector<std::unique_ptr<FreePort>> ports;
    for (Node& node : nodes_) {
      node.port = ports.emplace_back(std::make_unique<FreePort>())->port();
      node.controller_port = ports.emplace_back(std::make_unique<FreePort>())->port();
      for (int way = 0; way < options_.ways; ++way) {
        node.way_ports.push_back(ports.emplace_back(std::make_unique<FreePort>())->port());
        node.proxies.push_back(std::make_unique<NetworkProxy>(node.way_ports.back()));
      }
    }
  }
  std::vector<std::thread> formatting;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i].directory = directory_.path() + "/node" + std::to_string(i);
    fs::create_directory(nodes_[i].directory);
    write_properties(i);
    formatting.emplace_back([&, i] { format(nodes_[i]); });
  }
  for (auto& thread : formatting) thread.join();
  for (Node& node : nodes_) launch(node);
  for (const Node& node : nodes_) wait_until_up(node);
}

KafkaCluster::~KafkaCluster() {
  for (int i = 0; i < brokers(); ++i) kill(i);
}

void KafkaCluster::write_properties(std::size_t index) {
  std::string voters;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    voters += (i ? "," : "") + std::to_string(i) +
              "@127.0.0.1:" + std::to_string(nodes_[i].controller_port);
  }
  const Node& node = nodes_[index];
  const std::string client = "127.0.0.1:" + std::to_string(node.port);
  const std::string copies = brokers() < 3 ? "1" : "3";
  const std::string in_sync = brokers() < 3 ? "1" : "2";
  Properties properties{
      {"process.roles", "broker,controller"},
      {"node.id", std::to_string(index)},
      {"controller.quorum.voters", voters},
      {"listeners",
       "PLAINTEXT://" + client + ",CONTROLLER://127.0.0.1:" + std::to_string(node.controller_port)},
      {"advertised.listeners", "PLAINTEXT://" + client},
      {"controller.listener.names", "CONTROLLER"},
      {"inter.broker.listener.name", "PLAINTEXT"},
      {"log.dirs", node.directory + "/data"},
      {"num.partitions", "3"},
      {"default.replication.factor", copies},
      {"min.insync.replicas", in_sync},
      {"offsets.topic.replication.factor", copies},
      {"offsets.topic.num.partitions", std::to_string(kCoordinatorPartitions)},
      {"transaction.state.log.replication.factor", copies},
      {"transaction.state.log.min.isr", in_sync},
      {"transaction.state.log.num.partitions", std::to_string(kCoordinatorPartitions)},
      {"share.coordinator.state.topic.replication.factor", copies},
      {"share.coordinator.state.topic.min.isr", in_sync},
      {"transaction.abort.timed.out.transaction.cleanup.interval.ms", "500"},
      {"group.initial.rebalance.delay.ms", "0"},
      {"group.min.session.timeout.ms", "1000"},
      {"auto.create.topics.enable", "false"},
      {"controlled.shutdown.enable", "false"},
      {"broker.session.timeout.ms", "6000"},
      {"num.network.threads", "2"},
      {"num.io.threads", "2"},
      {"num.replica.fetchers", "1"},
      {"log.cleaner.dedupe.buffer.size", "4194304"},
      {"log.message.timestamp.after.max.ms", "9223372036854775807"},
      {"log.segment.delete.delay.ms", "500"}};
  std::string protocols = "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT";
  for (std::size_t way = 0; way < node.proxies.size(); ++way) {
    const std::string listener = ",WAY" + std::to_string(way);
    const std::string host = listener + "://127.0.0.1:";
    properties["listeners"] += host + std::to_string(node.way_ports[way]);
    properties["advertised.listeners"] += host + std::to_string(node.proxies[way]->port());
    protocols += listener + ":PLAINTEXT";
  }
  properties["listener.security.protocol.map"] = protocols;
  for (const auto& [key, value] : options_.properties) {
    std::string text = value;
    // Listeners can be named by tests before their port is known.
    for (const auto& [mark, port] :
         {std::pair{"{port}", node.port}, std::pair{"{controller-port}", node.controller_port}}) {
      if (const auto at = text.find(mark); at != std::string::npos) {
        text.replace(at, std::string_view(mark).size(), std::to_string(port));
      }
    }
    properties[key] = text;
  }
  std::ofstream file(node.directory + "/server.properties");
  for (const auto& [key, value] : properties) file << key << '=' << value << '\n';
}

void KafkaCluster::format(const Node& node) {
  const auto result =
      run_program(java("96m", "warn") +
                  std::vector<std::string>{"kafka.tools.StorageTool", "format", "-t", cluster_id_,
                                           "-c", node.directory + "/server.properties"});
  if (result.exit_code != 0) throw std::runtime_error("format: " + result.output);
}

void KafkaCluster::launch(Node& node) {
  const std::string heap = brokers() < 3 ? "384m" : "256m";
  node.pid = start_program(
      java(heap, "info") +
          std::vector<std::string>{"kafka.Kafka", node.directory + "/server.properties"},
      node.directory + "/broker.log");
}

void KafkaCluster::wait_until_up(const Node& node) const {
  const fs::path log = node.directory + "/broker.log";
  const auto deadline = std::chrono::steady_clock::now() + 5min;
  while (!text_of(log).contains("Kafka Server started")) {
    int status = 0;
    const bool dead = ::waitpid(node.pid, &status, WNOHANG) == node.pid;
    if (dead || std::chrono::steady_clock::now() > deadline) {
      const std::string text = text_of(log);
      throw std::runtime_error("a broker does not start: " +
                               text.substr(text.size() - std::min<std::size_t>(text.size(), 4000)));
    }
    std::this_thread::sleep_for(20ms);
  }
}

std::string KafkaCluster::bootstrap_servers(int way) const {
  std::string servers;
  for (const Node& node : nodes_) {
    const auto port =
        node.proxies.empty() ? node.port : node.proxies.at(static_cast<std::size_t>(way))->port();
    servers += (servers.empty() ? "" : ",") + ("127.0.0.1:" + std::to_string(port));
  }
  return servers;
}

void KafkaCluster::kill(int broker) {
  Node& node = nodes_.at(static_cast<std::size_t>(broker));
  if (node.pid < 0) return;
  ::kill(node.pid, SIGKILL);
  ::waitpid(node.pid, nullptr, 0);
  node.pid = -1;
}

void KafkaCluster::start(int broker) {
  Node& node = nodes_.at(static_cast<std::size_t>(broker));
  std::ofstream(node.directory + "/broker.log", std::ios::trunc);
  launch(node);
  wait_until_up(node);
}

void KafkaCluster::freeze(int broker) {
  ::kill(nodes_.at(static_cast<std::size_t>(broker)).pid, SIGSTOP);
}

void KafkaCluster::thaw(int broker) {
  ::kill(nodes_.at(static_cast<std::size_t>(broker)).pid, SIGCONT);
}

void KafkaCluster::set_network(int broker, NetworkProxy::State state) {
  for (auto& proxy : nodes_.at(static_cast<std::size_t>(broker)).proxies) proxy->set(state);
}

void KafkaCluster::set_way(int way, NetworkProxy::State state) {
  for (Node& node : nodes_) node.proxies.at(static_cast<std::size_t>(way))->set(state);
}

// The leader that is preferred is the first one of a partition's replicas.
std::string KafkaCluster::led_by(const std::string& topic, int broker) const {
  std::string replicas = std::to_string(broker);
  for (int other = 0; other < brokers(); ++other) {
    if (other != broker) replicas += "," + std::to_string(other);
  }
  std::string all;
  for (int partition = 0; partition < kCoordinatorPartitions; ++partition) {
    all += std::string(all.empty() ? "" : ",") + R"({"topic":")" + topic + R"(","partition":)" +
           std::to_string(partition) + R"(,"replicas":[)" + replicas + "]}";
  }
  return all;
}

void KafkaCluster::move_coordinators(int of_groups, int of_transactions) {
  const std::string path = directory_.path() + "/leaders.json";
  std::ofstream(path) << R"({"version":1,"partitions":[)" << led_by("__consumer_offsets", of_groups)
                      << ',' << led_by("__transaction_state", of_transactions) << "]}";
  const auto run = [this](const char* tool, std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--bootstrap-server", bootstrap_servers()});
    ProgramResult result;
    for (int tries = 0; tries < 5; ++tries) {  // A broker that has just come does not lead yet.
      result = run_kafka_class(tool, arguments);
      if (result.exit_code == 0) return;
    }
    throw std::runtime_error(std::string(tool) + ": " + result.output);
  };
  run("org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
      {"--reassignment-json-file", path, "--execute"});
  run("org.apache.kafka.tools.LeaderElectionCommand",
      {"--path-to-json-file", path, "--election-type", "preferred"});
}

ProgramResult run_kafka_class(const std::string& name, const std::vector<std::string>& arguments) {
  return run_program(java("128m", "warn") + std::vector<std::string>{name} + arguments);
}

}  // namespace thalweg::testing
