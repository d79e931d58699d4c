#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/payload.h>
#include <thalweg/topology/internal/table_supplier.h>

namespace thalweg::internal {

/// What is kept of a count window that is not full yet.
template <typename A>
struct CountedAggregate {
  std::int64_t records = 0;
  std::optional<A> aggregate = {};
};

/// The number of records in 8 bytes, then the aggregate, if there is one, behind a 1.
template <typename A>
class CountedAggregateSerde {
 public:
  explicit CountedAggregateSerde(AnySerde<A> serde) : serde_(std::move(serde)) {}

  void serialize(const CountedAggregate<A>& counted, std::string& out) const {
    Serde<std::int64_t>::serialize(counted.records, out);
    out += counted.aggregate ? '\1' : '\0';
    if (counted.aggregate) serde_.serialize(*counted.aggregate, out);
  }
  void deserialize(BytesView bytes, CountedAggregate<A>& out) const {
    constexpr std::size_t kHead = sizeof(std::int64_t) + 1;
    if (bytes.size() < kHead) throw_wrong_size("count window", kHead, bytes.size());
    Serde<std::int64_t>::deserialize(bytes.substr(0, kHead - 1), out.records);
    out.aggregate.reset();
    if (bytes[kHead - 1] != '\0') serde_.deserialize(bytes.substr(kHead), out.aggregate.emplace());
  }
  SchemaPtr schema() const { return bytes_schema(); }

 private:
  AnySerde<A> serde_;
};

/// Folds the values of each key, a number of them at a time, and forwards what has become of them
/// when the window is full. The result's time is that of the latest record in it.
template <typename K, typename V, typename A, typename Init, typename Fold>
class CountWindowAggregateNode final : public Sender<payload_t<K>, A>, public Receiver<K, V> {
 public:
  using Key = payload_t<K>;
  using Counted = CountedAggregate<A>;
  using Seed = std::remove_cvref_t<std::invoke_result_t<Init&>>;

  CountWindowAggregateNode(std::string name, std::string store, std::int64_t size, Init initializer,
                           Fold aggregator)
      : Sender<Key, A>(std::move(name)),
        store_name_(std::move(store)),
        size_(size),
        initializer_(std::move(initializer)),
        aggregator_(std::move(aggregator)) {}

  void start(TaskContext& context) override {
    store_ = &key_value_store_of<Key, Counted>(context, store_name_);
  }

  void process(const K& key_or_null, const V& value_or_null,
               const RecordContext& context) override {
    const auto* key = payload_of(key_or_null);
    const auto* value = payload_of(value_or_null);
    if (!key || !value) return this->task()->dropped(this->name(), "null key or value");
    const auto* open = store_->get_with_timestamp(*key);
    Counted counted = open ? open->value : Counted{};
    const Timestamp time = open ? std::max(open->timestamp, context.timestamp) : context.timestamp;
    counted.aggregate = std::invoke(aggregator_, *key, *value, seed_of(std::move(counted)));
    if (++counted.records < size_) {
      return store_->put(*key, std::move(counted), time, *context.headers);
    }
    if (open) store_->remove(*key, time, *context.headers);
    if (counted.aggregate) this->forward(*key, *counted.aggregate, {time, context.headers});
  }

 private:
  Seed seed_of(Counted&& counted) {
    if (!counted.aggregate) return initializer_();
    return Seed(std::move(*counted.aggregate));
  }

  std::string store_name_;
  std::int64_t size_;
  Init initializer_;
  Fold aggregator_;
  KeyValueStore<Key, Counted>* store_ = nullptr;
};

template <typename K, typename V, typename A, typename Init, typename Fold>
ProcessorPlan plan_count_window_aggregate(std::string store, std::int64_t size, Init initializer,
                                          Fold aggregator) {
  return plan_node<CountWindowAggregateNode<K, V, A, Init, Fold>>(
      FlowType::of<K, V>(), FlowType::of<payload_t<K>, A>(), std::move(store), size,
      std::move(initializer), std::move(aggregator));
}

}  // namespace thalweg::internal
