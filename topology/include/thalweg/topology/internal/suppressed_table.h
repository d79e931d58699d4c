#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <thalweg/state/change_buffer.h>
#include <thalweg/topology/errors.h>
#include <thalweg/topology/internal/table_supplier.h>
#include <thalweg/topology/suppressed.h>

namespace thalweg::internal {

/// What suppress() knows of its table while the plan is made.
template <typename K, typename V>
struct SuppressPlan {
  std::string store;
  AnySerde<K> key_serde;
  AnySerde<V> value_serde;
  BufferConfig buffer;
  std::chrono::milliseconds wait;  ///< From a change's time in the buffer on.
  bool until_window_closes;        ///< That time is its window's end; deletions are dropped.
};

inline ChangeBuffer& change_buffer_of(TaskContext& context, const std::string& name) {
  auto* buffer = dynamic_cast<ChangeBuffer*>(&context.store(name));
  if (!buffer) throw TopologyError("store " + name + " is no buffer of changes");
  return *buffer;
}

/// The table behind suppress(): what is held back still has the value it had before.
template <typename K, typename V>
class SuppressedTable final : public TableSupplier<K, V> {
 public:
  SuppressedTable(std::shared_ptr<const SuppressPlan<K, V>> plan,
                  std::shared_ptr<TableSupplier<K, V>> parent)
      : plan_(std::move(plan)), parent_(std::move(parent)) {}

  ValueGetterSupplier<K, V> value_getter() override {
    auto parent = parent_->value_getter();
    auto stores = parent.stores;
    stores.insert(stores.begin(), plan_->store);
    return {[plan = plan_, make = std::move(parent.make)] {
              return std::make_unique<Getter>(plan, make());
            },
            std::move(stores)};
  }
  bool send_old_values(bool force) override { return parent_->send_old_values(force); }

 private:
  class Getter final : public UnversionedGetter<K, V> {
   public:
    Getter(std::shared_ptr<const SuppressPlan<K, V>> plan,
           std::unique_ptr<ValueGetter<K, V>> parent)
        : plan_(std::move(plan)), parent_(std::move(parent)) {}
    void init(TaskContext& context) override {
      parent_->init(context);
      buffer_ = &change_buffer_of(context, plan_->store);
    }
    Row<V> get(const K& key) override {
      bytes_.clear();
      plan_->key_serde.serialize(key, bytes_);
      const auto* held = buffer_->find(bytes_);
      if (!held) return parent_->get(key);
      if (!held->prior) return {};
      plan_->value_serde.deserialize(*held->prior, value_);
      return {&value_, kNoTimestamp};
    }

   private:
    std::shared_ptr<const SuppressPlan<K, V>> plan_;
    std::unique_ptr<ValueGetter<K, V>> parent_;
    ChangeBuffer* buffer_ = nullptr;
    std::string bytes_;
    V value_{};
  };

  std::shared_ptr<const SuppressPlan<K, V>> plan_;
  std::shared_ptr<TableSupplier<K, V>> parent_;
};

}  // namespace thalweg::internal
