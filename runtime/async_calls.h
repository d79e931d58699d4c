#pragma once

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <thalweg/runtime/log.h>
#include <thalweg/topology/internal/async_work.h>

namespace thalweg::internal {

/// What the nodes of one task do outside of it: see AsyncWork. Used by the task's thread.
class AsyncCalls {
 public:
  /// `durability` null: what is committed is durable. `wakeup` makes that thread call run(); it may
  /// be empty.
  AsyncCalls(Durability* durability, std::function<void()> wakeup)
      : durability_(durability), wakeup_(std::move(wakeup)) {}

  /// Returns what wakes the thread when an answer has come.
  std::function<void()> add(AsyncWork& work) {
    works_.push_back(&work);
    return wakeup_;
  }
  bool empty() const { return works_.empty(); }
  /// The nodes are gone.
  void clear() { works_.clear(); }

  void committed(CommitSequence commit);
  /// Starts calls and deals with their answers, in the open transaction. Without `begin_more` no
  /// new ones start. Returns whether there was anything.
  bool run(Timestamp now, bool begin_more);
  std::optional<Timestamp> next_deadline(bool begin_more) const;
  std::size_t in_flight() const;

 private:
  Durability* durability_;
  std::function<void()> wakeup_;
  std::vector<AsyncWork*> works_;
};

}  // namespace thalweg::internal
