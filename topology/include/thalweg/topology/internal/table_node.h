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
    if (plan_->versioned) {
      versioned_ = &versioned_store_of<K, V>(context, plan_->store);
      return;
    }
    store_ = &key_value_store_of<K, V>(context, plan_->store);
    listen();
  }

 protected:
  bool materialized() const { return store_ || versioned_; }
  void expect_rows(std::span<const K> keys) {
    if (store_) store_->expect(keys);
  }
  bool sends_old_values() const { return plan_->send_old_values; }
  bool shares_store() const { return plan_->shared_store; }
  /// The row as it is now: the latest version.
  Row<V> row(const K& key) {
    if (versioned_) {
      const VersionedRecord<V> record = versioned_->get(key);
      return {record.value, record.timestamp};
    }
    const ValueAndTimestamp<V>* entry = store_->get_with_timestamp(key);
    return entry ? Row<V>{&entry->value, entry->timestamp} : Row<V>{};
  }

  /// From now on the store's changes go on from here. Of several nodes that share a store, the one
  /// that writes listens.
  void listen() {
    if (!store_) return;
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
    if (versioned_) {
      write_version(key, value ? std::optional<V>(*value) : std::nullopt, result);
    } else if (value) {
      store_->put(key, *value, result.timestamp, *result.headers);
    } else {
      remove(key, result, record_time);
    }
  }
  /// Writes a change that brings its old value along: that one goes on, unless the change waits in
  /// the cache.
  void write_change(const K& key, const Change<V>& change, const RecordContext& result) {
    if (versioned_ || !store_->cached()) old_value_ = change.old_value;
    write(key, change.new_value, result, result.timestamp);
    old_value_.reset();
  }
  void write(const K& key, V&& value, const RecordContext& result, Timestamp) {
    if (versioned_) return write_version(key, std::move(value), result);
    store_->put(key, std::move(value), result.timestamp, *result.headers);
  }
  void write(const K& key, std::optional<V>&& value, const RecordContext& result,
             Timestamp record_time) {
    if (versioned_) {
      write_version(key, std::move(value), result);
    } else if (value) {
      store_->put(key, std::move(*value), result.timestamp, *result.headers);
    } else {
      remove(key, result, record_time);
    }
  }

 private:
  /// What comes too late for the store goes no further.
  void write_version(const K& key, std::optional<V> value, const RecordContext& result) {
    std::optional<V> old_value;
    if (plan_->send_old_values && !old_value_) {
      const VersionedRecord<V> latest = versioned_->get(key);
      if (latest) old_value = *latest.value;
    }
    const VersionedPut put = versioned_->put(key, value, result.timestamp);
    if (!put.is_put) return;
    const V* old = old_value_ ? *old_value_ : old_value ? &*old_value : nullptr;
    this->forward(key,
                  {value ? &*value : nullptr, plan_->send_old_values ? old : nullptr,
                   put.is_latest()},
                  result);
  }
  void remove(const K& key, const RecordContext& result, Timestamp record_time) {
    const bool at_once = !store_->cached();
    if (at_once) deletion_time_ = result.timestamp;
    store_->remove(key, record_time, *result.headers);
    deletion_time_.reset();
  }

  std::shared_ptr<const TablePlan> plan_;
  KeyValueStore<K, V>* store_ = nullptr;
  VersionedKeyValueStore<K, V>* versioned_ = nullptr;  // Instead of store_.
  std::optional<Timestamp> deletion_time_;  // While a deletion is forwarded at once.
  std::optional<const V*> old_value_;       // While a change with an old value is.
};

}  // namespace thalweg::internal
