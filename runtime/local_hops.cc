#include "local_hops.h"

#include <algorithm>
#include <utility>

namespace thalweg::internal {

namespace {

// Of memory for records' bytes, taken at once.
constexpr std::size_t kChunk = 16 * 1024;
// For each partition: many times what its task gets in one round of the worker.
constexpr std::size_t kMostWaiting = 4 << 20;

std::size_t size_of(std::optional<BytesView> bytes) { return bytes ? bytes->size() : 0; }

BytesView copy(BytesView bytes, char*& to) {
  const char* const begin = to;
  to = std::ranges::copy(bytes, to).out;
  return {begin, bytes.size()};
}

}  // namespace

void LocalHops::use(const ApplicationPlan& plan) {
  for (const auto& sub : plan.subtopologies) {
    for (const auto& name : sub.repartition_inputs) {
      const TopicHandle topic = log_.topic(name);
      if (topic >= routes_.size()) routes_.resize(topic + 1);
      for (std::int32_t partition = 0; partition < sub.tasks; ++partition) {
        routes_[topic].push_back(std::make_unique<Route>(topic, partition));
      }
    }
  }
}

void LocalHops::send(TopicHandle topic, std::int32_t partition, std::optional<BytesView> key,
                     std::optional<BytesView> value, Timestamp timestamp, const Headers& headers) {
  Route* route = route_to(topic, partition);
  if (!route) return log_.send(topic, partition, key, value, timestamp, headers);
  header_bytes_.clear();
  if (!headers.empty()) headers.encode(header_bytes_);
  if (!route->task || route->by_log) {
    route->by_log = true;
    return log_.send(topic, partition, key, value, timestamp, header_bytes_);
  }
  log_.begin();  // Its effects are part of the transaction.
  take(*route, key, value, timestamp);
}

void LocalHops::take(Route& route, std::optional<BytesView> key, std::optional<BytesView> value,
                     Timestamp timestamp) {
  const std::size_t bytes = size_of(key) + size_of(value) + header_bytes_.size();
  char* to = room_for(route, bytes);
  RecordView& record = route.waiting.back().records.emplace_back();
  record.timestamp = timestamp;
  if (key) record.key = copy(*key, to);
  if (value) record.value = copy(*value, to);
  record.headers = copy(header_bytes_, to);
  route.bytes += sizeof(RecordView);
  overfull_ |= route.bytes + route.delivered > kMostWaiting;
  ++waiting_;
  ++taken_;
}

// Makes the last batch one whose memory has room.
char* LocalHops::room_for(Route& route, std::size_t bytes) {
  if (!route.memory || route.size - route.used < bytes) {
    route.size = std::max(kChunk, bytes);
    route.memory = std::make_shared_for_overwrite<char[]>(route.size);
    route.used = 0;
    route.bytes += route.size;
  }
  if (route.waiting.empty() || route.waiting.back().memory != route.memory) {
    route.waiting.push_back({.memory = route.memory});
    route.waiting.back().records.reserve(16);
  }
  return route.memory.get() + std::exchange(route.used, route.used + bytes);
}

void LocalHops::wait_for(const TopicPartition& partition, Offset end) {
  if (Route* route = route_to(partition)) route->behind = std::max(route->behind, end);
}

LocalHops::Route* LocalHops::open(const TopicPartition& partition, StreamTask& task,
                                  std::size_t input) {
  Route* route = route_to(partition);
  if (!route) return nullptr;
  route->task = &task;
  route->input = input;
  return route;
}

void LocalHops::clear() {
  for_each_route(
      [](Route& route) { route = {.topic = route.topic, .partition = route.partition}; });
  waiting_ = 0;
  overfull_ = false;
}

void LocalHops::close(Route& route) {
  send_to_log(route);
  route.task = nullptr;
}

void LocalHops::deliver(Route& route) {
  if (route.task->hops(route.input) == 0) route.delivered = 0;
  if (route.waiting.empty() || route.task->position(route.input) < route.behind) return;
  std::size_t records = 0;
  for (auto& batch : route.waiting) {
    records += batch.records.size();
    route.task->enqueue_hops(route.input, std::move(batch));
  }
  if (counter_) counter_->add(records);
  waiting_ -= records;
  route.waiting.clear();
  route.delivered += std::exchange(route.bytes, 0);
}

void LocalHops::relieve() {
  if (!std::exchange(overfull_, false)) return;
  for_each_route([this](Route& route) {
    if (route.task && route.bytes + route.delivered > kMostWaiting) send_to_log(route);
  });
}

void LocalHops::send_rest() {
  for_each_route([this](Route& route) {
    if (route.task) send_to_log(route);
  });
}

void LocalHops::send_to_log(Route& route) {
  auto batches = route.task->take_back(route.input);
  for (auto& batch : route.waiting) {
    waiting_ -= batch.records.size();
    batches.push_back(std::move(batch));
  }
  route.waiting.clear();
  route.bytes = route.delivered = 0;
  for (const auto& batch : batches) {
    for (const auto& record : batch.records) {
      route.by_log = true;
      log_.send(route.topic, route.partition, record.key, record.value, record.timestamp,
                record.headers);
    }
  }
}

void LocalHops::committed() {
  for_each_route([this](Route& route) {
    if (!route.by_log) return;
    const Offset end = log_.delivered_end(route.topic, route.partition);
    if (end == kNoOffset) return;  // Not known, so that nothing can wait for it.
    route.by_log = false;
    route.behind = std::max(route.behind, end);
  });
}

}  // namespace thalweg::internal
