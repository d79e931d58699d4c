#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <thalweg/state/stores.h>
#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/payload.h>

namespace thalweg::internal {

/// Passes a record on unless one with the same id came within a time before it or, late records
/// being what they are, after it. A record without an id passes.
template <typename K, typename V, typename F>
class DeduplicateNode final : public Sender<K, V>, public Receiver<K, V> {
 public:
  using Id = payload_t<mapped_t<F, K, V>>;

  DeduplicateNode(std::string name, std::string store, std::chrono::milliseconds within, F id_of)
      : Sender<K, V>(std::move(name)),
        store_name_(std::move(store)),
        within_(within),
        id_of_(std::move(id_of)) {}

  void start(TaskContext& context) override {
    seen_ = dynamic_cast<WindowStore<Id, std::string>*>(&context.store(store_name_));
    if (!seen_) throw TopologyError("store " + store_name_ + " is not one of " + this->name());
  }

  void process(const K& key, const V& value, const RecordContext& context) override {
    const auto& id_or_null = std::invoke(id_of_, key, value);
    const Id* id = payload_of(id_or_null);
    if (!id) return this->pass_on(key, value, context);
    const Timestamp from = std::max(from_millis(0), context.timestamp - within_);
    if (seen_->fetch(*id, from, context.timestamp + within_)->valid()) return;
    seen_->put(*id, {}, context.timestamp, context.timestamp, *context.headers);
    this->pass_on(key, value, context);
  }

 private:
  std::string store_name_;
  std::chrono::milliseconds within_;
  F id_of_;
  WindowStore<Id, std::string>* seen_ = nullptr;
};

template <typename K, typename V, typename F>
ProcessorPlan plan_deduplicate(std::string store, std::chrono::milliseconds within, F id_of) {
  return plan_node<DeduplicateNode<K, V, F>>(FlowType::of<K, V>(), FlowType::of<K, V>(),
                                             std::move(store), within, std::move(id_of));
}

/// Where the ids are kept that came lately: twice as long, for late records.
template <typename Id>
std::shared_ptr<StoreBuilder> deduplication_store(std::string name,
                                                  std::chrono::milliseconds within,
                                                  bool persistent) {
  return window_store_builder<Id, std::string>(
      std::move(name),
      {.retention = 2 * within + std::chrono::milliseconds(1),
       .window_size = std::chrono::milliseconds(1)},
      {.persistent = persistent});
}

}  // namespace thalweg::internal
