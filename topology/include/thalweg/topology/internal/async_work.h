#pragma once

#include <cstddef>
#include <optional>

#include <thalweg/schemas/timestamp.h>
#include <thalweg/state/state_store.h>

namespace thalweg::internal {

/// What a node does outside of its task, as the task drives it. All calls come from the task's
/// thread:
///
///     [records] -> commit -> committed() -> (durable) -> start_calls() -> ... -> take_answers()
///
/// What take_answers() forwards and writes belongs to the open transaction, as with a record.
class AsyncWork {
 public:
  virtual ~AsyncWork() = default;
  /// The open transaction has become this commit.
  virtual void committed(CommitSequence commit) = 0;
  /// Whether there are calls that start once their commit is durable.
  virtual bool has_calls_to_start() const = 0;
  /// Starts those whose commit no crash can take back any more.
  virtual void start_calls(CommitSequence durable, Timestamp now) = 0;
  /// Deals with answers that have come, and with calls that have taken too long; then, if asked to
  /// `begin_more`, with records whose turn has come. Returns whether there was anything.
  virtual bool take_answers(Timestamp now, bool begin_more) = 0;
  /// When take_answers() has something to do though no answer comes.
  virtual std::optional<Timestamp> next_deadline(bool begin_more) const = 0;
  /// Calls that have been started and have neither been answered nor taken too long.
  virtual std::size_t in_flight() const = 0;
};

}  // namespace thalweg::internal
