#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <thalweg/runtime/log.h>
#include <thalweg/runtime/metrics.h>

#include "application_plan.h"
#include "stream_task.h"
#include "transaction_collector.h"

namespace thalweg::internal {

/// Takes what a worker's tasks write. A record for a repartition topic goes to the task that reads
/// it, in the same transaction, if that task is this worker's too: a *local hop*, which costs no
/// broker, no commit and no second fetch. Everything else goes to the log (decision 0034).
///
/// From one task to another records arrive in the order in which they were sent, whichever way each
/// of them takes. So those that hop wait here until their task has processed what went through the
/// log before them; and what their task has not processed when the transaction ends goes to the log
/// in it, behind which those of the next transaction wait.
///
/// Belongs to a worker, and is used by its thread only.
class LocalHops final : public RecordCollector {
 public:
  /// The way to one partition of a repartition topic. Lives as long as the LocalHops.
  struct Route {
    TopicHandle topic;
    std::int32_t partition;
    StreamTask* task = nullptr;  ///< Null: not here, or not running.
    std::size_t input = 0;       ///< The task's.
    Offset behind = 0;           ///< Where the log's records end that come first.
    bool by_log = false;         ///< Something went to the log, and where that ends is not known.
    std::vector<RecordBatch> waiting = {};
    std::size_t bytes = 0;      ///< What waits takes of memory.
    std::size_t delivered = 0;  ///< And what the task was given and has perhaps not processed.
    std::shared_ptr<char[]> memory = {};  ///< Where records' bytes go; batches share it.
    std::size_t size = 0;
    std::size_t used = 0;
  };

  explicit LocalHops(TransactionCollector& log) : log_(log) {}
  /// Makes the routes to all repartition topics of the plan. Without, everything goes to the log.
  void use(const ApplicationPlan& plan);
  /// Counts what tasks are given.
  void count_with(Counter* counter) { counter_ = counter; }

  // --- RecordCollector ----------------------------------------------------------------------

  TopicHandle topic(std::string_view name) override { return log_.topic(name); }
  std::int32_t partitions(TopicHandle topic) override { return log_.partitions(topic); }
  void send(TopicHandle topic, std::int32_t partition, std::optional<BytesView> key,
            std::optional<BytesView> value, Timestamp timestamp, const Headers& headers) override;

  // --- Tasks come and go --------------------------------------------------------------------

  /// What the former owners of this worker's tasks wrote to the partition ends at `end`, and comes
  /// before all that hops from now on. Does nothing for a partition without a route.
  void wait_for(const TopicPartition& partition, Offset end);
  /// From now on `task` takes what is sent to the partition, as its `input`. Null: no route.
  Route* open(const TopicPartition& partition, StreamTask& task, std::size_t input);
  /// The route's task goes, having processed all that it was given. What waits goes to the log.
  void close(Route& route);
  /// The transaction is abandoned, and every task with it.
  void clear();

  // --- Between two calls of a task ----------------------------------------------------------

  /// Gives a task what waits for it, if what went through the log before is processed.
  void deliver(Route& route);
  /// Whether anything waits here.
  bool waiting() const { return waiting_ > 0; }
  /// How many records have come to hop so far.
  std::uint64_t taken() const { return taken_; }
  /// Sends to the log what waits for a task that has too much waiting.
  void relieve();

  // --- Commit -------------------------------------------------------------------------------

  /// Sends to the log what has not been processed.
  void send_rest();
  /// The transaction is committed.
  void committed();

 private:
  Route* route_to(TopicHandle topic, std::int32_t partition) {
    if (topic >= routes_.size()) return nullptr;
    auto& routes = routes_[topic];
    const auto index = static_cast<std::size_t>(partition);
    return index < routes.size() ? routes[index].get() : nullptr;
  }
  Route* route_to(const TopicPartition& partition) {
    return route_to(log_.topic(partition.topic), partition.partition);
  }
  void for_each_route(auto action) {
    for (auto& routes : routes_) {
      for (auto& route : routes) action(*route);
    }
  }
  void take(Route& route, std::optional<BytesView> key, std::optional<BytesView> value,
            Timestamp timestamp);
  static char* room_for(Route& route, std::size_t bytes);
  void send_to_log(Route& route);

  TransactionCollector& log_;
  std::vector<std::vector<std::unique_ptr<Route>>> routes_;  // By topic and partition.
  Counter* counter_ = nullptr;
  std::string header_bytes_;
  std::size_t waiting_ = 0;  // Records.
  std::uint64_t taken_ = 0;
  bool overfull_ = false;
};

}  // namespace thalweg::internal
