#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include <thalweg/runtime/async_producer.h>
#include <thalweg/runtime/log.h>
#include <thalweg/schemas/record.h>

#include "application_plan.h"
#include "warm_up.h"

namespace thalweg::internal {

/// How brokers and other processes know a worker: its client in the group, and its transactions.
/// The same after a restart, as `instance` is.
std::string member_client_id(const std::string& instance, std::int32_t worker);
std::string transactional_id(const std::string& application_id, const std::string& instance,
                             std::int32_t worker);

/// What one process of an application knows of the others: who has which task, where it answers
/// queries, and which transactions die with it.
///
/// Membership is the group's alone: who is there, and with which tasks, is read from its
/// description. What that cannot say, each process writes into an internal topic of one partition,
/// under its instance. When a process that was there is no longer in the group, its transactions
/// are ended here, instead of waiting out their timeout: whoever takes over its tasks needs offsets
/// that nothing is pending for. To end those of a process that lives is safe, as it starts again
/// from what is committed.
///
/// Works in a thread of its own; all members may be called from any thread.
class StreamsMetadataState {
 public:
  struct Setup {
    Log* log = nullptr;
    std::string application_id;
    std::string instance;
    std::string server;  ///< `application.server`; empty: it answers nobody.
    std::int32_t workers = 1;  ///< None: an onlooker, which the others need not know of.
    /// Called from the thread after each look at the group.
    std::function<void(const GroupView&)> on_look = {};
    bool transactional = true;
    std::chrono::milliseconds transaction_timeout{};
    std::int32_t standby_replicas = 0;
    std::shared_ptr<const ApplicationPlan> plan;
    const WarmUp* warm_up = nullptr;  ///< Null: it joins the group at once.
  };

  explicit StreamsMetadataState(Setup setup);
  ~StreamsMetadataState();
  StreamsMetadataState(const StreamsMetadataState&) = delete;
  StreamsMetadataState& operator=(const StreamsMetadataState&) = delete;

  /// Makes the topic if it is not there, and begins.
  Status start();
  /// `is_clean`: says goodbye to the others, as the workers have ended and left nothing open. If
  /// not, it is as if this process had died.
  void stop(bool is_clean);

  /// The `application.server` of the other process that has the task, if one has and answers.
  std::optional<std::string> server_of(TaskId task) const;
  /// Whether each task of the plan is with another process that answers.
  bool all_tasks_answer() const;
  /// The tasks with state that run elsewhere and that this process is to keep a copy of. Every
  /// process finds the same for itself: of those that do not run a task, each has a place in an
  /// order that depends on the task, and the first ones have it.
  std::set<TaskId> standby_tasks() const;

 private:
  using Clock = std::chrono::steady_clock;

  struct Instance {
    std::string server;
    std::int32_t workers = 0;
    Clock::time_point known_since;
    bool seen = false;  ///< In the group, by this process.
  };

  void run();
  void read_instances();
  void announce();
  void withdraw(const std::string& instance);
  void look_at_group();
  void place_standbys();
  void end_transactions_of_the_dead();
  bool end_transactions(const std::string& instance, std::int32_t workers);

  const Setup setup_;
  const std::string topic_;

  // The thread's own.
  std::unique_ptr<LogConsumer> reader_;
  std::unique_ptr<AsyncProducer> writer_;
  std::optional<Clock::time_point> announced_;
  std::set<std::string> present_;
  bool group_is_known_ = false;

  mutable std::mutex mutex_;  // Guards what follows.
  std::condition_variable changed_;
  bool stopping_ = false;
  std::map<std::string, Instance> instances_;
  std::map<TaskId, std::string> owners_;
  std::set<TaskId> standby_tasks_;

  std::thread thread_;
};

}  // namespace thalweg::internal
