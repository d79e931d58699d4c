#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/table_node.h>

namespace thalweg::internal {

/// Keeps the rows for which the predicate gives `Wanted`; a row that is not kept is deleted.
template <typename K, typename V, typename P, bool Wanted>
class TableFilterNode final : public TableNode<K, V>, public Receiver<K, Change<V>> {
 public:
  TableFilterNode(std::string name, std::shared_ptr<const TablePlan> plan, P predicate,
                  std::shared_ptr<const bool> versioned_input)
      : TableNode<K, V>(std::move(name), std::move(plan)),
        predicate_(std::move(predicate)),
        versioned_input_(std::move(versioned_input)) {}

  void process(const K& key, const Change<V>& change, const RecordContext& context) override {
    const V* new_value = kept(key, change.new_value);
    const V* old_value = nullptr;
    if (this->sends_old_values()) {
      old_value = this->materialized() ? this->row(key).value : kept(key, change.old_value);
      // Of a versioned table, a deletion that says nothing new now may do so for some time past.
      if (!new_value && !old_value && !*versioned_input_) return;
    }
    if (this->materialized()) {
      this->write(key, new_value, context, context.timestamp);
    } else {
      this->forward(key, {new_value, old_value, change.is_latest}, context);
    }
  }

 private:
  const V* kept(const K& key, const V* value) {
    return value && static_cast<bool>(std::invoke(predicate_, key, *value)) == Wanted ? value
                                                                                      : nullptr;
  }

  P predicate_;
  std::shared_ptr<const bool> versioned_input_;
};

template <typename K, typename V, typename P, bool Wanted>
class FilteredTable final : public DerivedTable<K, V, V> {
 public:
  FilteredTable(std::shared_ptr<TablePlan> plan, std::shared_ptr<TableSupplier<K, V>> parent,
                P predicate)
      : DerivedTable<K, V, V>(std::move(plan), std::move(parent)),
        predicate_(std::move(predicate)) {}

 private:
  class Getter final : public DerivedGetter<K, V, V> {
   public:
    Getter(std::unique_ptr<ValueGetter<K, V>> parent, P predicate)
        : DerivedGetter<K, V, V>(std::move(parent)), predicate_(std::move(predicate)) {}

   private:
    Row<V> compute(const K& key, const Row<V>& row) override {
      if (!row.value) return row;
      return static_cast<bool>(std::invoke(predicate_, key, *row.value)) == Wanted ? row : Row<V>{};
    }

    P predicate_;
  };

  ValueGetterSupplier<K, V> computed_from(ValueGetterSupplier<K, V> parent) override {
    return {[make = std::move(parent.make), predicate = predicate_] {
              return std::make_unique<Getter>(make(), predicate);
            },
            std::move(parent.stores)};
  }

  P predicate_;
};

template <typename K, typename V, bool Wanted, typename P>
ProcessorPlan plan_table_filter(std::shared_ptr<const TablePlan> table, P predicate,
                                std::shared_ptr<const bool> versioned_input) {
  return plan_node<TableFilterNode<K, V, P, Wanted>>(
      FlowType::of<K, Change<V>>(), FlowType::of<K, Change<V>>(), std::move(table),
      std::move(predicate), std::move(versioned_input));
}

}  // namespace thalweg::internal
