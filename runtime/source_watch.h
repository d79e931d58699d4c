#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include <thalweg/runtime/log.h>
#include <thalweg/topology/topology.h>

#include "application_plan.h"

namespace thalweg::internal {

/// The topics that an application would read if it were planned now; those of which the log tells.
Result<SourceTopics> source_topics(const Topology& topology, const Log& log);

/// What is new: "topic a has 4 partitions instead of 3, topic b has appeared".
std::string difference(const SourceTopics& before, const SourceTopics& now);

/// Looks every now and then whether topics that match a pattern have appeared, and whether a
/// topic's number of partitions has changed: a plan made before is then out of date. In a thread of
/// its own, as the log may take its time to answer.
class SourceWatch {
 public:
  /// Calls `on_change`, from that thread, with what is other than `planned()`, those of the plan in
  /// force: again and again, until a plan has it.
  SourceWatch(const Topology& topology, const Log& log, std::chrono::milliseconds every,
              std::function<SourceTopics()> planned,
              std::function<void(const std::string& difference)> on_change);
  /// Not from `on_change`.
  ~SourceWatch();
  SourceWatch(const SourceWatch&) = delete;
  SourceWatch& operator=(const SourceWatch&) = delete;

 private:
  void run();

  const Topology& topology_;
  const Log& log_;
  const std::chrono::milliseconds every_;
  const std::function<SourceTopics()> planned_;
  const std::function<void(const std::string&)> on_change_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;  // Last, as it uses the others.
};

}  // namespace thalweg::internal
