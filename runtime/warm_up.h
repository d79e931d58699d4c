#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include <thalweg/schemas/record.h>

namespace thalweg::internal {

/// What a look at the group of an application has found.
struct GroupView {
  bool is_known = false;  ///< It could be asked.
  /// The instances that are in it, and which one has each task.
  const std::set<std::string>& present;
  const std::map<TaskId, std::string>& owners;
};

/// Whether a new process may join its group yet: whoever joins is given tasks at once, and they
/// stand still until their state is there. So it first copies the state of all tasks, as it cannot
/// know which ones it will get, while those who have them go on. It joins
///
///   - when each copy is behind by `acceptable_lag` offsets at most, as Kafka Streams' warm-up
///     replicas (KIP-441), or
///   - at once when nobody else is in the group, or a predecessor of the same instance still is:
///     there its tasks wait for it already.
///
/// The copies are kept until every task has an owner again. Time is passed in; thread-safe.
class WarmUp {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  struct Setup {
    std::string application_id;
    std::string instance;
    std::set<TaskId> tasks;  ///< Those with state.
    std::int64_t acceptable_lag = 0;
    std::int32_t at_a_time = 0;  ///< So many copies catch up at the same time; 0: joins at once.
    /// How far the copy of a task is behind, if it is known.
    std::function<std::optional<std::int64_t>(TaskId)> lag;
    std::function<void()> on_joining;  ///< May be called from look() and give_up().
  };

  WarmUp(Setup setup, Instant now);

  void look(const GroupView& group, Instant now);
  /// The process cannot keep copies: it joins without them.
  void give_up(const std::string& reason);

  bool may_join() const { return phase_.load() != Phase::kCopying; }
  /// The tasks to keep a copy of.
  std::set<TaskId> copies() const;

 private:
  enum class Phase : std::uint8_t { kCopying, kJoining, kOver };

  bool is_caught_up();
  void wait_until_settled(const GroupView& group, Instant now);
  void tell(Instant now);
  void join();

  const Setup setup_;
  const Instant began_;
  std::atomic<Phase> phase_ = Phase::kCopying;
  bool was_known_ = false;
  Instant told_;
  std::optional<Instant> settled_since_;
  mutable std::mutex mutex_;
  std::set<TaskId> caught_up_;
};

}  // namespace thalweg::internal
