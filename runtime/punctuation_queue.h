#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <thalweg/topology/task_context.h>

#include "java_priority_queue.h"

namespace thalweg::internal {

/// The punctuations of one task on one of the two clocks.
///
/// Kafka Streams' rules: one that is due fires once with the current time, however many intervals
/// were missed; the next one is the next multiple of the interval from the first. Those that are
/// due at the same time fire in the order of java.util.PriorityQueue, in which those that were
/// cancelled stay until they would be due.
class PunctuationQueue {
 public:
  struct Schedule {
    Timestamp next;
    std::chrono::milliseconds interval;
    std::string node;
    Punctuator punctuator;
    std::shared_ptr<bool> cancelled;
  };

  Cancellable schedule(Timestamp first, std::chrono::milliseconds interval, std::string_view node,
                       Punctuator punctuator);
  /// Calls `fire(schedule)` for each that is due at `now`, earliest first; returns whether any was.
  template <typename Fire>
  bool punctuate(Timestamp now, Fire fire) {
    bool fired = false;
    while (auto due = take_due(now)) {
      fire(*due);
      fired = true;
      if (!*due->cancelled) put_back(*std::move(due), now);
    }
    return fired;
  }
  /// When the next one is due, if any is scheduled; of one that was cancelled, when it would be.
  std::optional<Timestamp> next() const;

 private:
  struct Earlier {
    bool operator()(const Schedule& a, const Schedule& b) const { return a.next < b.next; }
  };

  std::optional<Schedule> take_due(Timestamp now);
  void put_back(Schedule schedule, Timestamp now);

  JavaPriorityQueue<Schedule, Earlier> schedules_;
};

}  // namespace thalweg::internal
