#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <thalweg/runtime/streams_application.h>

#include "application_plan.h"
#include "position_waiters.h"

namespace thalweg::internal {

/// What the workers of an application publish for queries: views of restored stores, committed
/// positions and those who wait for them, and how each task is. Thread-safe.
class ApplicationState {
 public:
  // --- Views --------------------------------------------------------------------------------

  /// The task's stores are restored: queries may read them.
  void publish_view(const std::string& store, std::int32_t partition,
                    std::shared_ptr<const StoreView> view);
  void withdraw_view(const std::string& store, std::int32_t partition);
  std::map<std::int32_t, std::shared_ptr<const StoreView>> views(std::string_view store) const;

  void publish_standby(const std::string& store, TaskId task, StandbyView view);
  void withdraw_standby(TaskId task);
  std::optional<StandbyView> standby(std::string_view store, std::int32_t partition) const;

  /// By how much the store of a task is behind whose copy is furthest behind; nothing as long as
  /// one is not known.
  std::optional<Offset> lag_of_copy(const ApplicationPlan& plan, TaskId task) const;

  // --- Who may open a task's stores ---------------------------------------------------------

  /// The worker is to run the task. False as long as another one has a copy open: it will give that
  /// up, so ask again.
  bool claim(TaskId task, std::int32_t worker);
  /// The worker may keep a copy, unless somebody has the task or wants it. `wanted` is called, from
  /// that worker's thread, whenever another one is to run it.
  bool claim_standby(TaskId task, std::int32_t worker, std::function<void()> wanted);
  bool is_claimed_by_other(TaskId task, std::int32_t worker) const;
  void unclaim(TaskId task, std::int32_t worker);

  // --- Positions ----------------------------------------------------------------------------

  /// A commit has reached these positions: calls those who waited for them.
  void publish_positions(const std::map<TopicPartition, OffsetAndMetadata>& positions);
  using Waiter = PositionWaiters::Waiter;
  void when_processed(const TopicPartition& input, Offset offset, Waiter waiter);
  /// Who waits here for a task that another process may get is handed to `moved`, if that is set,
  /// when the task goes. Before the workers start.
  using Moved = std::function<void(const TopicPartition&, Offset, Waiter)>;
  void on_move(Moved moved) { moved_ = std::move(moved); }
  /// As when_processed(), if a task here reads the input; false, and `waiter` is not taken, if none
  /// does.
  bool when_processed_here(const TopicPartition& input, Offset offset, Waiter& waiter);
  /// Forgets everyone who waits.
  void drop_waiters();

  // --- Tasks --------------------------------------------------------------------------------

  void publish_task(TaskInfo info);
  void withdraw_task(TaskId id);
  std::vector<TaskInfo> tasks() const;

 private:
  // Keeps the waiter if the record is not processed yet. Under the mutex of positions; `over` goes
  // after it.
  bool keep(const TopicPartition& input, Offset offset, Waiter& waiter, std::vector<Waiter>& over);

  mutable std::mutex views_mutex_;
  std::map<std::string, std::map<std::int32_t, std::shared_ptr<const StoreView>>, std::less<>>
      views_;

  std::map<std::string, std::map<TaskId, StandbyView>, std::less<>> standbys_;

  struct Claim {
    std::optional<std::int32_t> holder;  ///< Whose stores are open.
    std::optional<std::int32_t> runner;  ///< Who runs it, or waits for it.
    std::function<void()> wanted = {};   ///< For a holder that only keeps a copy.
  };
  mutable std::mutex claims_mutex_;
  std::map<TaskId, Claim> claims_;

  std::mutex positions_mutex_;
  std::map<TopicPartition, Offset> committed_;
  PositionWaiters waiters_;
  std::set<TopicPartition> inputs_here_;
  Moved moved_;

  mutable std::mutex tasks_mutex_;
  std::map<TaskId, TaskInfo> tasks_;
};

}  // namespace thalweg::internal
