#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <thalweg/runtime/streams_application.h>

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

  // --- Positions ----------------------------------------------------------------------------

  /// A commit has reached these positions: calls those who waited for them.
  void publish_positions(const std::map<TopicPartition, OffsetAndMetadata>& positions);
  void when_processed(const TopicPartition& input, Offset offset, std::function<void()> done);
  /// Forgets everyone who waits.
  void drop_waiters();

  // --- Tasks --------------------------------------------------------------------------------

  void publish_task(TaskInfo info);
  void withdraw_task(TaskId id);
  std::vector<TaskInfo> tasks() const;

 private:
  struct Position {
    Offset committed = 0;
    std::multimap<Offset, std::function<void()>> waiting;
  };

  mutable std::mutex views_mutex_;
  std::map<std::string, std::map<std::int32_t, std::shared_ptr<const StoreView>>, std::less<>>
      views_;

  std::mutex positions_mutex_;
  std::map<TopicPartition, Position> positions_;

  mutable std::mutex tasks_mutex_;
  std::map<TaskId, TaskInfo> tasks_;
};

}  // namespace thalweg::internal
