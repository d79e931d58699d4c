#include "punctuation_queue.h"

#include <algorithm>
#include <utility>

namespace thalweg::internal {

namespace {

bool earlier(const PunctuationQueue::Schedule& a, const PunctuationQueue::Schedule& b) {
  return a.next < b.next;
}

}  // namespace

Cancellable PunctuationQueue::schedule(Timestamp first, std::chrono::milliseconds interval,
                                       std::string_view node, Punctuator punctuator) {
  auto cancelled = std::make_shared<bool>(false);
  schedules_.push_back(
      {first, interval, std::string(node), std::move(punctuator), cancelled});
  return Cancellable(cancelled);
}

std::optional<Timestamp> PunctuationQueue::next() const {
  if (schedules_.empty()) return std::nullopt;
  return std::ranges::min_element(schedules_, earlier)->next;
}

std::optional<PunctuationQueue::Schedule> PunctuationQueue::take_due(Timestamp now) {
  std::erase_if(schedules_, [](const Schedule& schedule) { return *schedule.cancelled; });
  const auto first = std::ranges::min_element(schedules_, earlier);
  if (first == schedules_.end() || first->next > now) return std::nullopt;
  Schedule due = std::move(*first);
  schedules_.erase(first);
  return due;
}

void PunctuationQueue::put_back(Schedule schedule, Timestamp now) {
  const auto missed = (now - schedule.next) / schedule.interval;
  schedule.next += (missed + 1) * schedule.interval;
  schedules_.push_back(std::move(schedule));
}

}  // namespace thalweg::internal
