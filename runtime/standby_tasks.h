#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <thalweg/runtime/clock.h>

#include "application_state.h"
#include "store_restorer.h"
#include "stream_task.h"

namespace thalweg::internal {

/// Copies of tasks that run in other processes, kept up to date from their changelogs: when such a
/// task comes here, only the tail is left to read. Used by one worker's thread, which steps it.
///
/// Only what changelogs hold is copied. A store whose changelog is a source topic is not: it may be
/// read only as far as the task's input is committed.
class StandbyTasks {
 public:
  using SpillsLeft = std::shared_ptr<std::atomic<int>>;

  struct Setup {
    Log* log = nullptr;
    Clock* clock = nullptr;
    ApplicationState* state = nullptr;
    std::int32_t worker = 0;
    std::string client_id;
    std::function<void()> wakeup;
    /// Makes the task, its stores opened.
    std::function<std::unique_ptr<StreamTask>(TaskId)> make;
    /// Writes to disk what its stores have in memory alone; `left` counts the stores to wait for.
    std::function<void(StreamTask&, const SpillsLeft& left)> write_out;
  };

  explicit StandbyTasks(Setup setup);
  ~StandbyTasks();

  /// Keeps copies of these and of no others. What another worker of the process holds, or wants to
  /// run, is left to it.
  void keep(const std::set<TaskId>& wanted);
  bool is_empty() const { return tasks_.empty(); }
  /// The copy, which is no longer kept here; null: there is none.
  std::unique_ptr<StreamTask> promote(TaskId id);
  bool run_once(std::size_t max_records);
  /// Begins to copy anew what turned out to be damaged on disk.
  void replace_damaged_stores();
  /// Calls `visit` for every task that is kept.
  void for_each(const std::function<void(StreamTask&)>& visit);

 private:
  struct Standby {
    std::unique_ptr<StreamTask> task;
    bool follows = false;  ///< The beginning of its changelogs is known.
    SpillsLeft leaving;    ///< Null: it stays.
  };

  void ask_for_ends();
  void read_ends();
  void follow(TaskId id, Standby& standby, const ConsumerEvent& ends);
  void publish(TaskId id, Standby& standby, const ConsumerEvent& ends);
  void drop(TaskId id);
  void make_restorer();
  bool give_up_wanted();
  bool drop_those_that_leave();

  const Setup setup_;
  /// Another worker is to run one of the tasks.
  std::shared_ptr<std::atomic<bool>> wanted_ = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<LogConsumer> asker_;
  std::unique_ptr<StoreRestorer> restorer_;
  std::map<TaskId, Standby> tasks_;
  bool asked_ = false;
  Clock::Instant next_question_{};
};

}  // namespace thalweg::internal
