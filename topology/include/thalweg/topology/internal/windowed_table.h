#pragma once

#include <memory>
#include <string>
#include <utility>

#include <thalweg/topology/internal/windowed_node.h>

namespace thalweg::internal {

/// Reads rows from the store of a windowed aggregation.
template <typename K, typename A, typename Store>
class WindowedValueGetter final : public UnversionedGetter<Windowed<K>, A> {
 public:
  explicit WindowedValueGetter(std::string store) : name_(std::move(store)) {}
  void init(TaskContext& context) override {
    store_ = dynamic_cast<Store*>(&context.store(name_));
    if (!store_) throw TopologyError("store " + name_ + " has other key or value types");
  }
  Row<A> get(const Windowed<K>& key) override {
    if constexpr (std::is_same_v<Store, WindowStore<K, A>>) {
      const auto* entry = store_->fetch_with_timestamp(key.key, key.window.start);
      return entry ? Row<A>{&entry->value, entry->timestamp} : Row<A>{};
    } else {
      const A* value = store_->fetch_session(key.key, key.window.start, key.window.end);
      return value ? Row<A>{value, key.window.end} : Row<A>{};
    }
  }

 private:
  std::string name_;
  Store* store_ = nullptr;
};

/// The table that a windowed aggregation keeps.
template <typename K, typename A, typename Store>
class WindowedTable final : public TableSupplier<Windowed<K>, A> {
 public:
  explicit WindowedTable(std::shared_ptr<WindowedTablePlan> plan) : plan_(std::move(plan)) {}
  ValueGetterSupplier<Windowed<K>, A> value_getter() override {
    const std::string& store = plan_->store;
    return {[store] { return std::make_unique<WindowedValueGetter<K, A, Store>>(store); }, {store}};
  }
  bool send_old_values(bool) override {
    plan_->send_old_values = true;
    return true;
  }

 private:
  std::shared_ptr<WindowedTablePlan> plan_;
};

}  // namespace thalweg::internal
