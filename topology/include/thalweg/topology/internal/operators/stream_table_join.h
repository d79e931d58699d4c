#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/payload.h>
#include <thalweg/topology/internal/stream_joiners.h>
#include <thalweg/topology/internal/table_supplier.h>

namespace thalweg::internal {

/// What a joiner of a stream with a table is called with as the key: only a left join meets records
/// without one.
template <bool Left, typename K>
using row_join_key_t = std::conditional_t<Left, K, payload_t<K>>;

/// Looks up a row for each record: of a versioned table the one as of the record's time.
template <typename K, typename V, typename TV, bool Left, typename J>
class StreamTableJoinNode
    : public Sender<K, row_joined_t<Left, J, row_join_key_t<Left, K>, payload_t<V>, TV>>,
      public Receiver<K, V> {
 public:
  using VOut = row_joined_t<Left, J, row_join_key_t<Left, K>, payload_t<V>, TV>;

  StreamTableJoinNode(std::string name, const ValueGetterSupplier<payload_t<K>, TV>& table,
                      J joiner)
      : Sender<K, VOut>(std::move(name)), rows_(table.make()), joiner_(std::move(joiner)) {}

  void start(TaskContext& context) override { rows_->init(context); }

  void process(const K& key_or_null, const V& value_or_null,
               const RecordContext& context) override {
    if (!is_wanted(key_or_null, value_or_null)) return;
    join(key_or_null, *payload_of(value_or_null), context);
  }
  bool expects() const override { return !is_nullable<K>; }
  void expect(std::span<const K> keys) override {
    if constexpr (!is_nullable<K>) rows_->expect(keys);
  }

 protected:
  bool has_versions() const { return rows_->is_versioned(); }

  /// False: the record can join nothing, and has been counted as dropped.
  bool is_wanted(const K& key_or_null, const V& value_or_null) {
    if (payload_of(value_or_null) && (Left || payload_of(key_or_null))) return true;
    this->task()->dropped(this->name(), "null join key or value");
    return false;
  }

  void join(const K& key_or_null, const payload_t<V>& value, const RecordContext& context) {
    const auto* key = payload_of(key_or_null);
    const TV* row = nullptr;
    if (key) {
      row = (rows_->is_versioned() ? rows_->get(*key, context.timestamp) : rows_->get(*key)).value;
    }
    if constexpr (Left) {
      const VOut& joined = join_row<true, J, K, payload_t<V>, TV>(joiner_, key_or_null, value, row);
      this->forward(key_or_null, joined, context);
    } else if (row) {
      const VOut& joined =
          join_row<false, J, payload_t<K>, payload_t<V>, TV>(joiner_, *key, value, row);
      this->forward(key_or_null, joined, context);
    }
  }

 private:
  std::unique_ptr<ValueGetter<payload_t<K>, TV>> rows_;
  J joiner_;
};

template <typename K, typename V, typename TV, bool Left, typename J>
ProcessorPlan plan_stream_table_join(ValueGetterSupplier<payload_t<K>, TV> table, J joiner) {
  using Node = StreamTableJoinNode<K, V, TV, Left, J>;
  return plan_node<Node>(FlowType::of<K, V>(), FlowType::of<K, typename Node::VOut>(),
                         std::move(table), std::move(joiner));
}

}  // namespace thalweg::internal
