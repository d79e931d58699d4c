#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/sender.h>
#include <thalweg/topology/internal/table_supplier.h>

namespace thalweg::internal {

/// A node whose output is a table. With a store, every change is written there and goes on from
/// there: at once, or when the cache is flushed; the store knows which.
template <typename K, typename V>
class TableNode : public Sender<K, Change<V>> {
 public:
  TableNode(std::string name, std::shared_ptr<const TablePlan> plan)
      : Sender<K, Change<V>>(std::move(name)), plan_(std::move(plan)) {}

  void start(TaskContext& context) override {
    if (!plan_->materialized) return;
    store_ = &key_value_store_of<K, V>(context, plan_->store);
    listen();
  }

 protected:
  bool materialized() const { return store_ != nullptr; }
  bool sends_old_values() const { return plan_->send_old_values; }
  bool shares_store() const { return plan_->shared_store; }
  KeyValueStore<K, V>& store() { return *store_; }

  /// From now on the store's changes go on from here. Of several nodes that share a store, the one
  /// that writes listens.
  void listen() {
    const bool old_values = plan_->send_old_values;
    store_->set_listener(
        [this, old_values](const K& key, const V* new_value, const V* old_value,
                           Timestamp timestamp, const Headers& headers) {
          this->forward(key, {new_value, old_values ? old_value_.value_or(old_value) : nullptr},
                        {deletion_time_.value_or(timestamp), &headers});
        },
        old_values);
  }

  /// Writes the row, or deletes it for null; the store's listener does the rest. A deletion leaves
  /// no row that could hold the result's time, so it is logged with `record_time`; so it is
  /// forwarded too, if it waits in the cache.
  void write(const K& key, const V* value, const RecordContext& result, Timestamp record_time) {
    if (value) {
      store_->put(key, *value, result.timestamp, *result.headers);
    } else {
      remove(key, result, record_time);
    }
  }
  /// Writes a change that brings its old value along: that one goes on, unless the change waits in
  /// the cache.
  void write_change(const K& key, const Change<V>& change, const RecordContext& result) {
    if (!store_->cached()) old_value_ = change.old_value;
    write(key, change.new_value, result, result.timestamp);
    old_value_.reset();
  }
  void write(const K& key, V&& value, const RecordContext& result, Timestamp) {
    store_->put(key, std::move(value), result.timestamp, *result.headers);
  }
  void write(const K& key, std::optional<V>&& value, const RecordContext& result,
             Timestamp record_time) {
    if (value) {
      store_->put(key, std::move(*value), result.timestamp, *result.headers);
    } else {
      remove(key, result, record_time);
    }
  }

 private:
  void remove(const K& key, const RecordContext& result, Timestamp record_time) {
    const bool at_once = !store_->cached();
    if (at_once) deletion_time_ = result.timestamp;
    store_->remove(key, record_time, *result.headers);
    deletion_time_.reset();
  }

  std::shared_ptr<const TablePlan> plan_;
  KeyValueStore<K, V>* store_ = nullptr;
  std::optional<Timestamp> deletion_time_;  // While a deletion is forwarded at once.
  std::optional<const V*> old_value_;       // While a change with an old value is.
};

}  // namespace thalweg::internal
