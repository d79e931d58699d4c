#pragma once

#include <memory>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/payload.h>
#include <thalweg/topology/internal/table_node.h>

namespace thalweg::internal {

/// Reads a stream as the changes of a table: a null value deletes, and what comes late overwrites.
template <typename K, typename V>
class TableSourceNode final : public TableNode<payload_t<K>, payload_t<V>>,
                              public Receiver<K, V> {
 public:
  using Table = TableNode<payload_t<K>, payload_t<V>>;
  using Table::Table;

  bool expects() const override { return !is_nullable<K>; }
  void expect(std::span<const K> keys) override {
    if constexpr (!is_nullable<K>) this->expect_rows(keys);
  }

  void process(const K& key_or_null, const V& value_or_null,
               const RecordContext& context) override {
    const auto* key = payload_of(key_or_null);
    if (!key) return this->task()->dropped(this->name(), "null key");
    const auto* value = payload_of(value_or_null);
    if (this->materialized()) {
      this->write(*key, value, context, context.timestamp);
    } else {
      this->forward(*key, {value, nullptr}, context);
    }
  }
};

template <typename K, typename V>
ProcessorPlan plan_table_source(std::shared_ptr<const TablePlan> table) {
  return plan_node<TableSourceNode<K, V>>(FlowType::of<K, V>(),
                                          FlowType::of<payload_t<K>, Change<payload_t<V>>>(),
                                          std::move(table));
}

}  // namespace thalweg::internal
