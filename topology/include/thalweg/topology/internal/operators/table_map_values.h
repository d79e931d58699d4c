#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/table_node.h>

namespace thalweg::internal {

/// Replaces the values of a table; a deletion stays one, and the mapper may make more.
template <typename K, typename V, typename F>
class TableMapValuesNode final : public TableNode<K, payload_t<mapped_value_t<F, K, V>>>,
                                 public Receiver<K, Change<V>> {
 public:
  using VOut = payload_t<mapped_value_t<F, K, V>>;

  TableMapValuesNode(std::string name, std::shared_ptr<const TablePlan> plan, F mapper)
      : TableNode<K, VOut>(std::move(name), std::move(plan)), mapper_(std::move(mapper)) {}

  void process(const K& key, const Change<V>& change, const RecordContext& context) override {
    std::optional<VOut> new_value = mapped(key, change.new_value);
    if (this->materialized()) {
      this->write(key, std::move(new_value), context, context.timestamp);
      return;
    }
    std::optional<VOut> old_value;
    if (this->sends_old_values()) old_value = mapped(key, change.old_value);
    this->forward(key, {new_value ? &*new_value : nullptr, old_value ? &*old_value : nullptr,
                        change.is_latest},
                  context);
  }

 private:
  std::optional<VOut> mapped(const K& key, const V* value) {
    if (!value) return std::nullopt;
    return map_value(mapper_, key, *value);
  }

  F mapper_;
};

template <typename K, typename V, typename F>
class MappedTable final : public DerivedTable<K, payload_t<mapped_value_t<F, K, V>>, V> {
 public:
  using VOut = payload_t<mapped_value_t<F, K, V>>;

  MappedTable(std::shared_ptr<TablePlan> plan, std::shared_ptr<TableSupplier<K, V>> parent,
              F mapper)
      : DerivedTable<K, VOut, V>(std::move(plan), std::move(parent)), mapper_(std::move(mapper)) {}

 private:
  class Getter final : public DerivedGetter<K, VOut, V> {
   public:
    Getter(std::unique_ptr<ValueGetter<K, V>> parent, F mapper)
        : DerivedGetter<K, VOut, V>(std::move(parent)), mapper_(std::move(mapper)) {}

   private:
    Row<VOut> compute(const K& key, const Row<V>& row) override {
      if (!row.value) return {};
      value_ = map_value(mapper_, key, *row.value);
      return value_ ? Row<VOut>{&*value_, row.timestamp} : Row<VOut>{};
    }

    F mapper_;
    std::optional<VOut> value_;
  };

  ValueGetterSupplier<K, VOut> computed_from(ValueGetterSupplier<K, V> parent) override {
    return {[make = std::move(parent.make), mapper = mapper_] {
              return std::make_unique<Getter>(make(), mapper);
            },
            std::move(parent.stores)};
  }

  F mapper_;
};

template <typename K, typename V, typename F>
ProcessorPlan plan_table_map_values(std::shared_ptr<const TablePlan> table, F mapper) {
  using Node = TableMapValuesNode<K, V, F>;
  return plan_node<Node>(FlowType::of<K, Change<V>>(),
                         FlowType::of<K, Change<typename Node::VOut>>(),
                         std::move(table), std::move(mapper));
}

}  // namespace thalweg::internal
