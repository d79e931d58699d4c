#include "query/posted_keys.h"

#include <algorithm>

namespace thalweg::internal {

namespace {

constexpr std::string_view kHeader = "idempotency-key";
constexpr std::chrono::hours kRemembered{24};
constexpr Offset kRecordsRemembered = 1'000'000;
constexpr std::size_t kPlacesRemembered = 1'000'000;
constexpr std::size_t kPageRecords = 10'000;

std::string numbered(const std::string& key, std::size_t number) {
  return key + "#" + std::to_string(number);
}

}  // namespace

bool PostedKeys::begin(const std::string& topic, const std::string& key) {
  const std::lock_guard lock(mutex_);
  return under_way_.emplace(topic, key).second;
}

void PostedKeys::end(const std::string& topic, const std::string& key) {
  const std::lock_guard lock(mutex_);
  under_way_.erase({topic, key});
}

Status PostedKeys::catch_up(const std::string& topic, std::int32_t partitions,
                            const std::function<bool()>& stop) {
  Topic& known = topics_[topic];
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    if (auto status = read_on(topic, known, partition, stop); !status) return status;
  }
  forget_old(known);
  return {};
}

const PostedKeys::Place* PostedKeys::find(const std::string& topic, const std::string& key,
                                          std::size_t number) const {
  const auto& places = topics_.at(topic).places;
  const auto found = places.find(numbered(key, number));
  return found == places.end() ? nullptr : &found->second;
}

void PostedKeys::mark(PostedRecord& record, const std::string& key, std::size_t number) {
  record.headers.add(std::string(kHeader), numbered(key, number));
}

std::size_t PostedKeys::content_of(const std::optional<std::string>& key,
                                   const std::optional<std::string>& value) {
  const std::hash<std::optional<std::string>> hash;
  return hash(key) * 31 + hash(value);
}

Status PostedKeys::read_on(const std::string& name, Topic& topic, std::int32_t partition,
                           const std::function<bool()>& stop) {
  const auto range = log_.range({name, partition});
  if (!range) return std::unexpected(range.error());
  auto& next = topic.next[partition];
  next = std::clamp(next, std::max(range->begin, range->end - kRecordsRemembered), range->end);
  while (next < range->end) {
    const auto page = read_topic(log_, clock_,
                                 {.topic = {.name = name, .partitions = partition + 1},
                                  .partition = partition,
                                  .offset = next,
                                  .limit = kPageRecords},
                                 stop);
    if (!page) return std::unexpected(page.error());
    if (stop()) return failure(ErrorCode::kUnavailable, "the service is shutting down");
    for (const auto& record : page->records) note(topic, record);
    next = page->next.at(partition);
  }
  return {};
}

void PostedKeys::note(Topic& topic, const TopicRecord& record) const {
  if (record.headers.find(kHeader) == std::string::npos) return;
  const auto headers = Headers::decode(record.headers);
  const Header* header = headers.last(kHeader);
  if (!header || !header->value) return;
  const Place posted{.partition = record.partition,
                     .offset = record.offset,
                     .content = content_of(record.key, record.value),
                     .time = clock_.wall_clock()};
  const auto [place, is_new] = topic.places.try_emplace(*header->value, posted);
  if (is_new) topic.by_age.push_back(place);
}

void PostedKeys::forget_old(Topic& topic) const {
  const Timestamp oldest = clock_.wall_clock() - kRemembered;
  while (!topic.by_age.empty() && (topic.by_age.front()->second.time < oldest ||
                                   topic.by_age.size() > kPlacesRemembered)) {
    topic.places.erase(topic.by_age.front());
    topic.by_age.pop_front();
  }
}

}  // namespace thalweg::internal
