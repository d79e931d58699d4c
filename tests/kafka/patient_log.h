#pragma once

#include <set>

#include "contract/log_fixture.h"
#include "kafka/kafka_cluster.h"

namespace thalweg::testing {

/// Answers that only an onlooker of the brokers needs, asked beside the adapter.
class Onlooker {
 public:
  explicit Onlooker(const std::string& bootstrap_servers);
  ~Onlooker();
  /// Where a reader of committed records must stop now, and where all records end.
  Offset stable_end(const TopicPartition& partition);
  Offset end(const TopicPartition& partition);
  /// How many partitions the members of the group have together, and how many members there are;
  /// nothing while it is rebalancing.
  struct Group {
    int members = 0;
    int partitions = 0;
  };
  std::optional<Group> group(const std::string& name);

 private:
  struct Clients;
  std::unique_ptr<Clients> clients_;
};

/// A log on a shared cluster for one test: topics, groups and transactional ids have a prefix of
/// their own, and what a broker does a moment later (markers, deletions, rebalances) is waited
/// for, so that a test sees what it has caused. The brokers are asked for it beside the adapter.
std::unique_ptr<LogHarness> kafka_log();

}  // namespace thalweg::testing
