#include "source_watch.h"

#include <utility>

namespace thalweg::internal {

Result<SourceTopics> source_topics(const Topology& topology, const Log& log) {
  const auto outside = outside_topics(topology, log);
  if (!outside) return std::unexpected(outside.error());
  SourceTopics topics;
  for (const auto& [sub, names] : *outside) {
    for (const auto& name : names) {
      if (const auto spec = log.topic(name)) topics[name] = spec->partitions;
    }
  }
  return topics;
}

std::string difference(const SourceTopics& before, const SourceTopics& now) {
  std::string text;
  const auto add = [&text](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
  for (const auto& [name, partitions] : now) {
    const auto known = before.find(name);
    if (known == before.end()) {
      add("topic " + name + " has appeared");
    } else if (known->second != partitions) {
      add("topic " + name + " has " + std::to_string(partitions) + " partitions instead of " +
          std::to_string(known->second));
    }
  }
  // One that is gone is told of by who reads it, and may only be unknown for a moment.
  return text;
}

SourceWatch::SourceWatch(const Topology& topology, const Log& log, std::chrono::milliseconds every,
                         std::function<SourceTopics()> planned,
                         std::function<void(const std::string&)> on_change)
    : topology_(topology),
      log_(log),
      every_(every),
      planned_(std::move(planned)),
      on_change_(std::move(on_change)),
      thread_([this] { run(); }) {}

SourceWatch::~SourceWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void SourceWatch::run() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, every_, [this] { return stopping_; })) {
    lock.unlock();
    const auto now = source_topics(topology_, log_);
    if (const auto what = now ? difference(planned_(), *now) : std::string(); !what.empty()) {
      on_change_(what);
    }
    lock.lock();
  }
}

}  // namespace thalweg::internal
