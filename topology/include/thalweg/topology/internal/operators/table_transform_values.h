#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/table_functions.h>
#include <thalweg/topology/internal/table_node.h>
#include <thalweg/topology/internal/transformer_site.h>

namespace thalweg::internal {

/// Replaces the values of a table by what a transformer makes of them, deletions included.
template <typename T>
class TableTransformValuesNode final
    : public TableNode<typename T::InputKey, typename T::OutputValue>,
      public Receiver<typename T::InputKey, Change<typename T::InputValue>> {
 public:
  using K = typename T::InputKey;
  using V = typename T::InputValue;
  using VOut = typename T::OutputValue;

  TableTransformValuesNode(const PlannedNode& planned, std::shared_ptr<const TablePlan> plan,
                           std::unique_ptr<T> transformer)
      : TableNode<K, VOut>(planned.name, std::move(plan)),
        site_(planned.name, planned.stores, std::move(transformer)) {}

  void start(TaskContext& task) override {
    site_.init(task);
    TableNode<K, VOut>::start(task);
  }
  void process(const K& key, const Change<V>& change, const RecordContext& context) override {
    std::optional<VOut> new_value = site_.transform(key, change.new_value, context);
    if (this->materialized()) {
      return this->write(key, std::move(new_value), context, context.timestamp);
    }
    std::optional<VOut> old_value;
    if (this->sends_old_values()) old_value = site_.transform(key, change.old_value, context);
    this->forward(
        key,
        {new_value ? &*new_value : nullptr, old_value ? &*old_value : nullptr, change.is_latest},
        context);
  }
  void close() override { site_.close(); }

 private:
  TransformerSite<T> site_;
};

template <typename S>
class TransformedTable final
    : public DerivedTable<typename supplied_t<S>::InputKey, typename supplied_t<S>::OutputValue,
                          typename supplied_t<S>::InputValue> {
 public:
  using T = supplied_t<S>;
  using K = typename T::InputKey;
  using V = typename T::InputValue;
  using VOut = typename T::OutputValue;

  TransformedTable(std::shared_ptr<TablePlan> plan, std::shared_ptr<TableSupplier<K, V>> parent,
                   std::string name, S supplier)
      : DerivedTable<K, VOut, V>(std::move(plan), std::move(parent)),
        name_(std::move(name)),
        supplier_(std::move(supplier)) {}

 private:
  class Getter final : public DerivedGetter<K, VOut, V> {
   public:
    using Base = DerivedGetter<K, VOut, V>;
    Getter(std::unique_ptr<ValueGetter<K, V>> parent, std::string name,
           std::vector<std::string> stores, std::unique_ptr<T> transformer)
        : Base(std::move(parent)),
          site_(std::move(name), std::move(stores), std::move(transformer)) {}
    ~Getter() override { site_.close(); }
    void init(TaskContext& context) override {
      Base::init(context);
      site_.init(context);
    }

   private:
    Row<VOut> compute(const K& key, const Row<V>& row) override {
      value_ = site_.transform(key, row.value, {.timestamp = row.timestamp});
      return value_ ? Row<VOut>{&*value_, row.timestamp} : Row<VOut>{};
    }

    TransformerSite<T> site_;
    std::optional<VOut> value_;
  };

  ValueGetterSupplier<K, VOut> computed_from(ValueGetterSupplier<K, V> parent) override {
    return {[make = std::move(parent.make), stores = parent.stores, name = name_,
             supplier = supplier_] {
              return std::make_unique<Getter>(make(), name, stores, std::invoke(supplier));
            },
            parent.stores};
  }

  std::string name_;
  S supplier_;
};

template <typename S>
ProcessorPlan plan_table_transform_values(std::shared_ptr<const TablePlan> table, S supplier) {
  using T = supplied_t<S>;
  using Node = TableTransformValuesNode<T>;
  return {.make =
              [table = std::move(table), supplier = std::move(supplier)](const PlannedNode& node) {
                return std::make_unique<Node>(node, table, std::invoke(supplier));
              },
          .input = FlowType::of<typename Node::K, Change<typename Node::V>>(),
          .output = FlowType::of<typename Node::K, Change<typename Node::VOut>>()};
}

}  // namespace thalweg::internal
