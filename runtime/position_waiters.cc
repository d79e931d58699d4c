#include "position_waiters.h"

#include <algorithm>
#include <utility>

namespace thalweg::internal {

std::vector<PositionWaiters::Waiter> PositionWaiters::add(const TopicPartition& input,
                                                          Offset offset, Waiter waiter) {
  std::vector<Waiter> over;
  if (size_ >= look_through_at_) over = take_those_over();
  inputs_[input].emplace(offset, std::move(waiter));
  ++size_;
  return over;
}

void PositionWaiters::put_back(const TopicPartition& input, ByOffset waiting) {
  if (waiting.empty()) return;
  size_ += waiting.size();
  inputs_[input].merge(waiting);
}

std::vector<PositionWaiters::Waiter> PositionWaiters::take_passed(const TopicPartition& input,
                                                                  Offset position) {
  std::vector<Waiter> passed;
  const auto found = inputs_.find(input);
  if (found == inputs_.end()) return passed;
  ByOffset& waiting = found->second;
  const auto end = waiting.lower_bound(position);
  for (auto one = waiting.begin(); one != end; ++one) passed.push_back(std::move(one->second));
  waiting.erase(waiting.begin(), end);
  size_ -= passed.size();
  if (waiting.empty()) inputs_.erase(found);
  return passed;
}

PositionWaiters::ByOffset PositionWaiters::take_all(const TopicPartition& input) {
  auto taken = inputs_.extract(input);
  if (taken.empty()) return {};
  size_ -= taken.mapped().size();
  return std::move(taken.mapped());
}

std::optional<Offset> PositionWaiters::first(const TopicPartition& input) const {
  const auto found = inputs_.find(input);
  if (found == inputs_.end()) return std::nullopt;
  return found->second.begin()->first;
}

std::vector<PositionWaiters::Waiter> PositionWaiters::take_those_over() {
  std::vector<Waiter> over;
  for (auto& [input, waiting] : inputs_) {
    for (auto one = waiting.begin(); one != waiting.end();) {
      if (!one->second.has_stopped()) {
        ++one;
        continue;
      }
      over.push_back(std::move(one->second));
      one = waiting.erase(one);
    }
  }
  std::erase_if(inputs_, [](const auto& entry) { return entry.second.empty(); });
  size_ -= over.size();
  look_through_at_ = std::max(kFewest, 2 * size_);
  return over;
}

}  // namespace thalweg::internal
