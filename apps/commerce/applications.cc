#include "applications.h"

#include <atomic>
#include <memory>
#include <utility>

namespace thalweg::shop {

void Applications::add(const Role& role, StreamsApplication& application) {
  by_role_.emplace(role.name, &application);
  for (const SubTopology& part : application.topology().subtopologies()) {
    for (const auto& store : part.stores) by_store_.emplace(store, &application);
    if (role.pace == Pace::kListens) continue;
    for (const auto& topic : part.source_topics) {
      auto& readers = readers_[topic];
      if (readers.empty() || readers.back() != &application) readers.push_back(&application);
    }
  }
}

StreamsApplication* Applications::of_role(std::string_view role) const {
  const auto found = by_role_.find(role);
  return found == by_role_.end() ? nullptr : found->second;
}

Result<StreamsApplication*> Applications::with_store(std::string_view store) const {
  const auto found = by_store_.find(store);
  if (found != by_store_.end()) return found->second;
  return failure(ErrorCode::kUnavailable,
                 "no application of this process keeps " + std::string(store));
}

void Applications::when_processed(const TopicPartition& input, Offset offset,
                                  std::function<void()> done) const {
  const auto found = readers_.find(input.topic);
  if (found == readers_.end()) return done();
  const auto& readers = found->second;
  if (readers.size() == 1) return readers[0]->when_processed(input, offset, std::move(done));
  const auto all_done = std::make_shared<std::function<void()>>(std::move(done));
  const auto left = std::make_shared<std::atomic<std::size_t>>(readers.size());
  for (StreamsApplication* reader : readers) {
    reader->when_processed(input, offset, [all_done, left] {
      if (left->fetch_sub(1) == 1) (*all_done)();
    });
  }
}

}  // namespace thalweg::shop
