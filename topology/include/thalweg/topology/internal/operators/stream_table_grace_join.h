#pragma once

#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include <thalweg/state/record_buffer.h>
#include <thalweg/topology/internal/as_origin.h>
#include <thalweg/topology/internal/operators/stream_table_join.h>

namespace thalweg::internal {

/// How records wait for the rows of their time.
template <typename K, typename V>
struct GracePlan {
  std::chrono::milliseconds grace;
  std::string store;  ///< The buffer's name.
  AnySerde<K> key_serde;
  AnySerde<V> value_serde;
};

/// Throws std::invalid_argument: there is nothing to wait for.
[[noreturn]] void refuse_grace_without_versions();
RecordBuffer& record_buffer_of(TaskContext& context, const std::string& name);

/// Joins records in the order of their times, each once stream time has passed it by the grace
/// period. What comes later than that is joined at once.
template <typename K, typename V, typename TV, bool Left, typename J>
class StreamTableGraceJoinNode final : public StreamTableJoinNode<K, V, TV, Left, J> {
 public:
  using Base = StreamTableJoinNode<K, V, TV, Left, J>;
  using Plan = GracePlan<payload_t<K>, payload_t<V>>;

  StreamTableGraceJoinNode(std::string name, const ValueGetterSupplier<payload_t<K>, TV>& table,
                           J joiner, Plan plan)
      : Base(std::move(name), table, std::move(joiner)), plan_(std::move(plan)) {}

  void start(TaskContext& context) override {
    Base::start(context);
    if (!this->has_versions()) refuse_grace_without_versions();
    buffer_ = &record_buffer_of(context, plan_.store);
  }

  void process(const K& key_or_null, const V& value_or_null,
               const RecordContext& context) override {
    if (!this->is_wanted(key_or_null, value_or_null)) return;
    const auto* key = payload_of(key_or_null);
    const auto* value = payload_of(value_or_null);
    if (!key) throw std::logic_error("a record that waits needs a key");  // As in Kafka Streams.
    if (context.timestamp < buffer_->stream_time() - plan_.grace) {
      return this->join(key_or_null, *value, context);
    }
    hold(*key, *value, context);
    while (buffer_->min_time() <= buffer_->stream_time() - plan_.grace) release_first();
  }

 private:
  void hold(const payload_t<K>& key, const payload_t<V>& value, const RecordContext& context) {
    key_bytes_.clear();
    plan_.key_serde.serialize(key, key_bytes_);
    value_bytes_.clear();
    plan_.value_serde.serialize(value, value_bytes_);
    const RecordMetadata& record = this->task()->metadata();
    buffer_->put(key_bytes_, value_bytes_,
                 {context.timestamp, record.offset, std::string(record.topic), record.partition,
                  *context.headers});
  }

  /// The earliest record is joined as if it came now. It leaves the buffer when that is done: what
  /// fails stays, and is tried again with the next record, as in Kafka Streams.
  void release_first() {
    const RecordBuffer::Held held = buffer_->first();
    plan_.key_serde.deserialize(held.key, key_);
    plan_.value_serde.deserialize(held.value, value_);
    {
      const AsOrigin as_origin(*this->task(), held.origin,
                               *topics_.insert(held.origin.topic).first);
      this->join(K(key_), value_, {held.origin.timestamp, &held.origin.headers});
    }
    buffer_->remove_first();
  }

  const Plan plan_;
  RecordBuffer* buffer_ = nullptr;
  std::string key_bytes_;  // These are kept for their memory.
  std::string value_bytes_;
  payload_t<K> key_{};
  payload_t<V> value_{};
  std::set<std::string> topics_;  // Seen, for names that last.
};

template <typename K, typename V, typename TV, bool Left, typename J>
ProcessorPlan plan_stream_table_grace_join(ValueGetterSupplier<payload_t<K>, TV> table, J joiner,
                                           GracePlan<payload_t<K>, payload_t<V>> plan) {
  using Node = StreamTableGraceJoinNode<K, V, TV, Left, J>;
  return plan_node<Node>(FlowType::of<K, V>(), FlowType::of<K, typename Node::VOut>(),
                         std::move(table), std::move(joiner), std::move(plan));
}

}  // namespace thalweg::internal
