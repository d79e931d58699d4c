#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/payload.h>
#include <thalweg/topology/internal/table_supplier.h>

namespace thalweg::internal {

/// Looks up a row for each record.
template <typename K, typename V, typename TV, typename J>
class StreamTableJoinNode final : public Sender<K, joined_t<J, payload_t<K>, payload_t<V>, TV>>,
                                  public Receiver<K, V> {
 public:
  using VOut = joined_t<J, payload_t<K>, payload_t<V>, TV>;

  StreamTableJoinNode(std::string name, const ValueGetterSupplier<payload_t<K>, TV>& table,
                      J joiner)
      : Sender<K, VOut>(std::move(name)), rows_(table.make()), joiner_(std::move(joiner)) {}

  void start(TaskContext& context) override {
    rows_->init(context);
  }

  void process(const K& key_or_null, const V& value_or_null,
               const RecordContext& context) override {
    const auto* key = payload_of(key_or_null);
    const auto* value = payload_of(value_or_null);
    if (!key || !value) return this->task()->dropped(this->name(), "null join key or value");
    const Row<TV> row =
        rows_->is_versioned() ? rows_->get(*key, context.timestamp) : rows_->get(*key);
    if (!row.value) return;
    const VOut& joined = join_values<J, payload_t<K>>(joiner_, *key, *value, *row.value);
    this->forward(key_or_null, joined, context);
  }

 private:
  std::unique_ptr<ValueGetter<payload_t<K>, TV>> rows_;
  J joiner_;
};

/// The same for records with and without a row.
template <typename K, typename V, typename TV, typename J>
class StreamTableLeftJoinNode final : public Sender<K, left_joined_t<J, K, payload_t<V>, TV>>,
                                      public Receiver<K, V> {
 public:
  using VOut = left_joined_t<J, K, payload_t<V>, TV>;

  StreamTableLeftJoinNode(std::string name, const ValueGetterSupplier<payload_t<K>, TV>& table,
                          J joiner)
      : Sender<K, VOut>(std::move(name)), rows_(table.make()), joiner_(std::move(joiner)) {}

  void start(TaskContext& context) override {
    rows_->init(context);
  }

  void process(const K& key_or_null, const V& value_or_null,
               const RecordContext& context) override {
    const auto* value = payload_of(value_or_null);
    if (!value) return this->task()->dropped(this->name(), "null value");
    const auto* key = payload_of(key_or_null);
    const TV* row = nullptr;
    if (key) {
      row = (rows_->is_versioned() ? rows_->get(*key, context.timestamp) : rows_->get(*key)).value;
    }
    const VOut& joined = join(key_or_null, *value, row);
    this->forward(key_or_null, joined, context);
  }

 private:
  decltype(auto) join(const K& key, const payload_t<V>& value, const TV* row) {
    if constexpr (std::is_pointer_v<left_row_t<J, K, payload_t<V>, TV>>) {
      return join_values<J, K>(joiner_, key, value, row);
    } else {
      return join_values<J, K>(joiner_, key, value,
                               row ? std::optional<TV>(*row) : std::optional<TV>());
    }
  }

  std::unique_ptr<ValueGetter<payload_t<K>, TV>> rows_;
  J joiner_;
};

template <typename K, typename V, typename TV, bool Left, typename J>
ProcessorPlan plan_stream_table_join(ValueGetterSupplier<payload_t<K>, TV> table, J joiner) {
  using Node = std::conditional_t<Left, StreamTableLeftJoinNode<K, V, TV, J>,
                                  StreamTableJoinNode<K, V, TV, J>>;
  return plan_node<Node>(FlowType::of<K, V>(), FlowType::of<K, typename Node::VOut>(),
                         std::move(table), std::move(joiner));
}

}  // namespace thalweg::internal
