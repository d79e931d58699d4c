#include "position_waiters.h"

#include <algorithm>
#include <utility>

namespace thalweg::internal {
namespace {

bool is_over(const PositionWaiters::ByOffset::value_type& waiting) {
  return waiting.second.is_over && waiting.second.is_over();
}

}  // namespace

void PositionWaiters::add(const TopicPartition& input, Offset offset, Waiter waiter) {
  if (size_ >= look_through_at_) forget_those_over();
  inputs_[input].emplace(offset, std::move(waiter));
  ++size_;
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
  std::erase_if(taken.mapped(), is_over);
  return std::move(taken.mapped());
}

std::optional<Offset> PositionWaiters::first(const TopicPartition& input) const {
  const auto found = inputs_.find(input);
  if (found == inputs_.end()) return std::nullopt;
  return found->second.begin()->first;
}

void PositionWaiters::clear() {
  inputs_.clear();
  size_ = 0;
}

void PositionWaiters::forget_those_over() {
  for (auto& [input, waiting] : inputs_) size_ -= std::erase_if(waiting, is_over);
  std::erase_if(inputs_, [](const auto& entry) { return entry.second.empty(); });
  look_through_at_ = std::max(kFewest, 2 * size_);
}

}  // namespace thalweg::internal
