#include "store_restorer.h"

#include <algorithm>
#include <span>
#include <utility>

#include <spdlog/spdlog.h>

#include "phase_board.h"

namespace thalweg::internal {
namespace {

std::span<const RecordView> before(std::span<const RecordView> records, Offset end) {
  const auto behind = std::ranges::lower_bound(records, end, {}, &RecordView::offset);
  return records.first(static_cast<std::size_t>(behind - records.begin()));
}

}  // namespace

Status StoreRestorer::add(TaskId task, const std::string& name, std::shared_ptr<StateStore> store,
                          const TopicPartition& changelog, ConsumerEvent::Range range) {
  Offset from = store->restored_to();
  // Below the beginning is fine only for a store that starts from nothing: what is gone was deleted
  // or compacted, and the rest is whole.
  const bool truncated = from > range.end || (from > 0 && from < range.begin);
  if (truncated) {
    spdlog::warn("store {} [{}]: local state is at offset {}, but {} holds {} to {}: restoring it "
                 "from the beginning",
                 name, to_string(task), from, to_string(changelog), range.begin, range.end);
    if (auto discarded = store->discard(); !discarded) return discarded;
    from = 0;
  }
  from = std::max(from, range.begin);
  notices_.start(changelog, name, from, range.end);
  if (from >= range.end) {
    notices_.end(changelog, name, 0);
    return {};
  }
  const std::uint32_t tag = next_tag_++;
  consumer_->assign(changelog, from, tag);
  active_.emplace(tag, Active{task, std::move(store), changelog,
                              {.store = name, .from = from, .position = from, .end = range.end}});
  return {};
}

void StoreRestorer::remove(TaskId task) {
  records_.erase(task);
  overtaken_.erase(task);
  std::erase_if(active_, [&](const auto& item) {
    const auto& active = item.second;
    if (active.task != task) return false;
    consumer_->unassign(active.changelog);
    notices_.suspended(active.changelog, active.progress.store, active.records);
    return true;
  });
}

bool StoreRestorer::run_once(std::size_t max_records) {
  if (active_.empty()) return false;
  read_events();
  batches_.clear();
  if (!consumer_->fetch(batches_, max_records)) return !overtaken_.empty();
  PhaseScope phase(Phase::kRestore);
  for (const auto& batch : batches_) {
    const auto found = active_.find(batch.tag);
    if (found == active_.end()) continue;
    auto& active = found->second;
    // What lies behind the end is the task's own to process, where a source topic is the changelog.
    const auto records = before(batch.records, active.progress.end);
    const Offset next = std::min(batch.next, active.progress.end);
    active.store->restore(records, next, batch.commit);
    active.progress.position = next;
    records_[active.task] += records.size();
    active.records += records.size();
    if (!records.empty()) {
      notices_.batch(active.changelog, active.progress.store, records.back().offset,
                     records.size());
    }
    if (next == active.progress.end) {
      spdlog::debug("store {} [{}]: restored {} to {}", active.progress.store,
                    to_string(active.task), active.progress.from, next);
      consumer_->unassign(active.changelog);
      notices_.end(active.changelog, active.progress.store, active.records);
      active_.erase(found);
    }
  }
  return true;
}

void StoreRestorer::read_events() {
  ConsumerEvent event;
  while (consumer_->poll(event)) {
    if (event.kind == ConsumerEvent::Kind::kFailed) {
      failure_ = event.error;
    } else if (event.kind == ConsumerEvent::Kind::kOutOfRange) {
      on_out_of_range(event);
    }
    event = {};
  }
}

void StoreRestorer::on_out_of_range(const ConsumerEvent& event) {
  const auto found = std::ranges::find_if(active_, [&](const auto& item) {
    return item.second.changelog == event.partitions.at(0);
  });
  if (found == active_.end()) return;
  const TaskId task = found->second.task;
  spdlog::warn("store {} [{}]: {}: {}; restoring it anew", found->second.progress.store,
               to_string(task), to_string(found->second.changelog), event.error.message);
  remove(task);
  overtaken_.insert(task);
}

bool StoreRestorer::restoring(TaskId task) const {
  return std::ranges::any_of(active_, [&](const auto& item) { return item.second.task == task; });
}

std::uint64_t StoreRestorer::restored_records(TaskId task) const {
  const auto found = records_.find(task);
  return found == records_.end() ? 0 : found->second;
}

std::vector<TaskInfo::Restore> StoreRestorer::progress(TaskId task) const {
  std::vector<TaskInfo::Restore> progress;
  for (const auto& [tag, active] : active_) {
    if (active.task == task) progress.push_back(active.progress);
  }
  return progress;
}

}  // namespace thalweg::internal
