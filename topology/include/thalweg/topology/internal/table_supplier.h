#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/state/key_value_store.h>
#include <thalweg/state/versioned_key_value_store.h>
#include <thalweg/topology/errors.h>
#include <thalweg/topology/internal/stream_graph.h>

namespace thalweg::internal {

/// The store `name` as one of K and V.
template <typename K, typename V>
KeyValueStore<K, V>& key_value_store_of(TaskContext& context, const std::string& name) {
  auto* store = dynamic_cast<KeyValueStore<K, V>*>(&context.store(name));
  if (!store) throw TopologyError("store " + name + " has other key or value types");
  return *store;
}

template <typename K, typename V>
VersionedKeyValueStore<K, V>& versioned_store_of(TaskContext& context, const std::string& name) {
  auto* store = dynamic_cast<VersionedKeyValueStore<K, V>*>(&context.store(name));
  if (!store) throw TopologyError("store " + name + " has other key or value types");
  return *store;
}

/// A table's row as it is now. The value lives until the next call on its getter or store.
template <typename V>
struct Row {
  const V* value = nullptr;
  Timestamp timestamp = kNoTimestamp;
};

/// Looks up rows of a table inside a node.
template <typename K, typename V>
class ValueGetter {
 public:
  virtual ~ValueGetter() = default;
  virtual void init(TaskContext& context) = 0;
  virtual Row<V> get(const K& key) = 0;
  /// See KeyedStore::expect().
  virtual void expect(std::span<const K>) {}
  /// Whether the table knows what its rows were before. After init() only.
  virtual bool is_versioned() const = 0;
  /// The row as of `time`. Only of a versioned table.
  virtual Row<V> get(const K& key, Timestamp time) = 0;
};

/// Of a table that is not versioned.
template <typename K, typename V>
class UnversionedGetter : public ValueGetter<K, V> {
 public:
  using ValueGetter<K, V>::get;
  bool is_versioned() const final { return false; }
  Row<V> get(const K& key, Timestamp) final { return this->get(key); }
};

/// Computes rows from those of another table, one by one: `compute(row)` gives the result's.
template <typename K, typename V, typename ParentV>
class DerivedGetter : public ValueGetter<K, V> {
 public:
  explicit DerivedGetter(std::unique_ptr<ValueGetter<K, ParentV>> parent)
      : parent_(std::move(parent)) {}
  void init(TaskContext& context) override { parent_->init(context); }
  Row<V> get(const K& key) final { return compute(key, parent_->get(key)); }
  Row<V> get(const K& key, Timestamp time) final { return compute(key, parent_->get(key, time)); }
  bool is_versioned() const final { return parent_->is_versioned(); }
  void expect(std::span<const K> keys) final { parent_->expect(keys); }

 protected:
  virtual Row<V> compute(const K& key, const Row<ParentV>& row) = 0;

 private:
  std::unique_ptr<ValueGetter<K, ParentV>> parent_;
};

template <typename K, typename V>
struct ValueGetterSupplier {
  std::function<std::unique_ptr<ValueGetter<K, V>>()> make;
  std::vector<std::string> stores;  ///< Which the node has to be connected to.
};

/// What a table in the plan can do for those downstream.
template <typename K, typename V>
class TableSupplier {
 public:
  virtual ~TableSupplier() = default;
  /// How to look up rows. A source table that was not kept will be.
  virtual ValueGetterSupplier<K, V> value_getter() = 0;
  /// Asks for old values in the table's changes; false if that would need a store and `force` is
  /// not set.
  virtual bool send_old_values(bool force) = 0;
};

/// Reads rows from a table's own store.
template <typename K, typename V>
class StoreValueGetter final : public ValueGetter<K, V> {
 public:
  explicit StoreValueGetter(std::string store) : name_(std::move(store)) {}
  void init(TaskContext& context) override {
    if (context.store(name_).kind() == StateStore::Kind::kVersioned) {
      versioned_ = &versioned_store_of<K, V>(context, name_);
    } else {
      store_ = &key_value_store_of<K, V>(context, name_);
    }
  }
  Row<V> get(const K& key) override {
    if (versioned_) return row(versioned_->get(key));
    const ValueAndTimestamp<V>* entry = store_->get_with_timestamp(key);
    return entry ? Row<V>{&entry->value, entry->timestamp} : Row<V>{};
  }
  Row<V> get(const K& key, Timestamp time) override { return row(versioned_->get(key, time)); }
  void expect(std::span<const K> keys) override {
    if (store_) store_->expect(keys);
  }
  bool is_versioned() const override { return versioned_ != nullptr; }

 private:
  static Row<V> row(const VersionedRecord<V>& record) { return {record.value, record.timestamp}; }

  std::string name_;
  KeyValueStore<K, V>* store_ = nullptr;
  VersionedKeyValueStore<K, V>* versioned_ = nullptr;
};

template <typename K, typename V>
ValueGetterSupplier<K, V> store_value_getter(const std::string& store) {
  return {[store] { return std::make_unique<StoreValueGetter<K, V>>(store); }, {store}};
}

/// A table whose rows come from outside: from a topic, a stream or an aggregation.
template <typename K, typename V>
class StoredTable final : public TableSupplier<K, V> {
 public:
  explicit StoredTable(std::shared_ptr<TablePlan> plan) : plan_(std::move(plan)) {}
  ValueGetterSupplier<K, V> value_getter() override {
    plan_->materialized = true;
    return store_value_getter<K, V>(plan_->store);
  }
  bool send_old_values(bool force) override {
    if (!force && !plan_->materialized) return false;
    plan_->materialized = true;
    plan_->send_old_values = true;
    return true;
  }

 private:
  std::shared_ptr<TablePlan> plan_;
};

/// A table computed from another, row by row: kept only where the user named a store.
template <typename K, typename V, typename ParentV>
class DerivedTable : public TableSupplier<K, V> {
 public:
  DerivedTable(std::shared_ptr<TablePlan> plan, std::shared_ptr<TableSupplier<K, ParentV>> parent)
      : plan_(std::move(plan)), parent_(std::move(parent)) {}

  ValueGetterSupplier<K, V> value_getter() final {
    if (plan_->materialized) return store_value_getter<K, V>(plan_->store);
    return computed_from(parent_->value_getter());
  }
  bool send_old_values(bool force) final {
    if (plan_->materialized || parent_->send_old_values(force)) plan_->send_old_values = true;
    return plan_->send_old_values;
  }

 protected:
  virtual ValueGetterSupplier<K, V> computed_from(ValueGetterSupplier<K, ParentV> parent) = 0;

 private:
  std::shared_ptr<TablePlan> plan_;
  std::shared_ptr<TableSupplier<K, ParentV>> parent_;
};

}  // namespace thalweg::internal
