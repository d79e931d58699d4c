#pragma once

#include <algorithm>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/payload.h>
#include <thalweg/topology/windows.h>

namespace thalweg::internal {

/// Whether all windows of a record at `time` have closed by then.
template <typename W>
bool is_late(const W& windows, Timestamp time, Timestamp close_time) {
  bool has_window = false;
  bool has_open = false;
  windows.for_each_window(time, [&](const Window& window) {
    has_window = true;
    has_open = has_open || window.end > close_time;
  });
  return has_window && !has_open;
}
inline bool is_late(const SlidingWindows& windows, Timestamp time, Timestamp close_time) {
  return time + windows.size() < close_time;
}

/// In front of a windowed aggregation: sends records that come too late for all their windows to
/// its first child, the others to its second. Observes time as the aggregation does.
template <typename K, typename V, typename W>
class LateRecordsNode final : public Sender<K, V>, public Receiver<K, V> {
 public:
  LateRecordsNode(std::string name, W windows)
      : Sender<K, V>(std::move(name)), windows_(std::move(windows)) {}

  void process(const K& key, const V& value, const RecordContext& context) override {
    if (!payload_of(key)) return this->pass_on_to(kInTime, key, value, context);
    observed_ = std::max(observed_, context.timestamp);
    const bool late = is_late(windows_, context.timestamp, observed_ - windows_.grace());
    this->pass_on_to(late ? kLate : kInTime, key, value, context);
  }

 private:
  static constexpr std::size_t kLate = 0;
  static constexpr std::size_t kInTime = 1;

  W windows_;
  Timestamp observed_ = kNoTimestamp;
};

template <typename K, typename V, typename W>
ProcessorPlan plan_late_records(W windows) {
  return plan_node<LateRecordsNode<K, V, W>>(FlowType::of<K, V>(), FlowType::of<K, V>(),
                                             std::move(windows));
}

}  // namespace thalweg::internal
