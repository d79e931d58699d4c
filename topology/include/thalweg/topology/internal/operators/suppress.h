#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <thalweg/topology/internal/as_origin.h>
#include <thalweg/topology/internal/operator_plan.h>
#include <thalweg/topology/internal/suppressed_table.h>
#include <thalweg/topology/windows.h>

namespace thalweg::internal {

template <typename K>
inline constexpr bool is_windowed = false;
template <typename K>
inline constexpr bool is_windowed<Windowed<K>> = true;

/// Holds changes back until their time has come, or there are too many of them.
template <typename K, typename V>
class SuppressNode final : public Sender<K, Change<V>>, public Receiver<K, Change<V>> {
 public:
  SuppressNode(std::string name, std::shared_ptr<const SuppressPlan<K, V>> plan)
      : Sender<K, Change<V>>(std::move(name)), plan_(std::move(plan)) {}

  void start(TaskContext& context) override { buffer_ = &change_buffer_of(context, plan_->store); }

  void process(const K& key, const Change<V>& change, const RecordContext& context) override {
    observed_ = std::max(observed_, context.timestamp);
    hold(key, change, context);
    while (buffer_->min_time() <= observed_ - plan_->wait) emit_first();
    if (!is_full()) return;
    if (plan_->buffer.when_full == BufferFull::kShutDown) refuse();
    while (is_full()) emit_first();
  }

 private:
  static constexpr auto kUnlimited = std::numeric_limits<std::uint64_t>::max();

  void hold(const K& key, const Change<V>& change, const RecordContext& context) {
    const auto bytes_of = [this](const V* value, std::string& bytes) -> std::optional<BytesView> {
      bytes.clear();
      if (!value) return std::nullopt;
      plan_->value_serde.serialize(*value, bytes);
      return bytes;
    };
    key_bytes_.clear();
    plan_->key_serde.serialize(key, key_bytes_);
    const RecordMetadata& record = this->task()->metadata();
    buffer_->put(time_of(key, context), key_bytes_, bytes_of(change.old_value, old_bytes_),
                 bytes_of(change.new_value, new_bytes_),
                 {context.timestamp, record.offset, std::string(record.topic), record.partition,
                  *context.headers});
  }
  Timestamp time_of(const K& key, const RecordContext& context) const {
    if constexpr (is_windowed<K>) {
      if (plan_->until_window_closes) return key.window.end;
    }
    return context.timestamp;
  }

  bool is_full() {
    return buffer_->records() > plan_->buffer.max_records.value_or(kUnlimited) ||
           buffer_->bytes() > plan_->buffer.max_bytes.value_or(kUnlimited);
  }
  [[noreturn]] void refuse() {
    constexpr std::uint64_t kJavaUnlimited = std::numeric_limits<std::int64_t>::max();
    throw StreamsError(this->name() + " buffer exceeded its max capacity. Currently [" +
                       std::to_string(buffer_->records()) + "/" +
                       std::to_string(plan_->buffer.max_records.value_or(kJavaUnlimited)) +
                       "] records and [" + std::to_string(buffer_->bytes()) + "/" +
                       std::to_string(plan_->buffer.max_bytes.value_or(kJavaUnlimited)) +
                       "] bytes.");
  }

  /// The earliest change goes on. Whoever looks the table up meanwhile still finds it held back.
  void emit_first() {
    const auto [key_bytes, held] = buffer_->first();
    if (!plan_->until_window_closes || held.new_value) send(key_bytes, held);
    buffer_->remove_first();
  }
  /// As if the record that the change came with were processed now.
  void send(const std::string& key_bytes, const ChangeBuffer::Change& held) {
    plan_->key_serde.deserialize(key_bytes, key_);
    const Change<V> change{read(held.new_value, new_value_), read(held.old_value, old_value_)};
    const auto& origin = held.origin;
    {
      const AsOrigin as_origin(*this->task(), origin, *topics_.insert(origin.topic).first);
      this->forward(key_, change, {origin.timestamp, &origin.headers});
    }
    this->task()->count("suppression-emit", this->name());
  }
  const V* read(const std::optional<std::string>& bytes, V& value) const {
    if (!bytes) return nullptr;
    plan_->value_serde.deserialize(*bytes, value);
    return &value;
  }

  std::shared_ptr<const SuppressPlan<K, V>> plan_;
  ChangeBuffer* buffer_ = nullptr;
  Timestamp observed_ = kNoTimestamp;
  std::string key_bytes_;  // These are kept for their memory.
  std::string old_bytes_;
  std::string new_bytes_;
  K key_{};
  V new_value_{};
  V old_value_{};
  std::set<std::string> topics_;  // Seen, for names that last.
};

template <typename K, typename V>
ProcessorPlan plan_suppress(std::shared_ptr<const SuppressPlan<K, V>> plan) {
  return plan_node<SuppressNode<K, V>>(FlowType::of<K, Change<V>>(), FlowType::of<K, Change<V>>(),
                                       std::move(plan));
}

}  // namespace thalweg::internal
