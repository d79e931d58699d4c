#include "async_calls.h"

#include <limits>

namespace thalweg::internal {

void AsyncCalls::committed(CommitSequence commit) {
  bool waiting = false;
  for (AsyncWork* work : works_) {
    work->committed(commit);
    waiting |= work->has_calls_to_start();
  }
  if (waiting && durability_ && wakeup_) durability_->when_durable(commit, wakeup_);
}

bool AsyncCalls::run(Timestamp now, bool begin_more) {
  if (works_.empty()) return false;
  const CommitSequence durable =
      durability_ ? durability_->durable() : std::numeric_limits<CommitSequence>::max();
  bool worked = false;
  for (AsyncWork* work : works_) {
    if (begin_more && work->has_calls_to_start()) work->start_calls(durable, now);
    worked |= work->take_answers(now, begin_more);
  }
  return worked;
}

std::optional<Timestamp> AsyncCalls::next_deadline(bool begin_more) const {
  std::optional<Timestamp> next;
  for (const AsyncWork* work : works_) {
    const auto deadline = work->next_deadline(begin_more);
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  return next;
}

std::size_t AsyncCalls::in_flight() const {
  std::size_t calls = 0;
  for (const AsyncWork* work : works_) calls += work->in_flight();
  return calls;
}

}  // namespace thalweg::internal
