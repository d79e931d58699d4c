#include "punctuation_queue.h"

#include <utility>

#include <thalweg/state/windowed.h>

namespace thalweg::internal {

Cancellable PunctuationQueue::schedule(Timestamp first, std::chrono::milliseconds interval,
                                       std::string_view node, Punctuator punctuator) {
  auto cancelled = std::make_shared<bool>(false);
  schedules_.offer({first, interval, std::string(node), std::move(punctuator), cancelled});
  return Cancellable(cancelled);
}

std::optional<Timestamp> PunctuationQueue::next() const {
  if (schedules_.empty()) return std::nullopt;
  return schedules_.peek().next;
}

std::optional<PunctuationQueue::Schedule> PunctuationQueue::take_due(Timestamp now) {
  while (!schedules_.empty() && schedules_.peek().next <= now) {
    Schedule due = schedules_.poll();
    if (!*due.cancelled) return due;
  }
  return std::nullopt;
}

void PunctuationQueue::put_back(Schedule schedule, Timestamp now) {
  schedule.next += (now - schedule.next) / schedule.interval * schedule.interval;
  if (schedule.next > kEndOfTime - schedule.interval) return;  // There is no next time.
  schedule.next += schedule.interval;
  schedules_.offer(std::move(schedule));
}

}  // namespace thalweg::internal
