#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <thalweg/topology/task_context.h>

namespace thalweg::internal {

/// The punctuations of one task on one of the two clocks.
///
/// Kafka Streams' rules: one that is due fires once with the current time, however many intervals
/// were missed; the next one is the next multiple of the interval from the first.
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
  /// When the next one is due, if any is scheduled.
  std::optional<Timestamp> next() const;

 private:
  std::optional<Schedule> take_due(Timestamp now);
  void put_back(Schedule schedule, Timestamp now);

  std::vector<Schedule> schedules_;  // Few: a scan beats a heap.
};

}  // namespace thalweg::internal
