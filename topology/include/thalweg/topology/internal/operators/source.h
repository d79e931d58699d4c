#pragma once

#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <thalweg/topology/internal/sender.h>
#include <thalweg/topology/internal/topology_graph.h>
#include <thalweg/topology/options.h>

namespace thalweg::internal {

/// Reads bytes into T, or into the T of an optional, keeping its memory from record to record.
/// False: there is no payload, and T has no null.
template <typename T>
bool read_payload(const AnySerde<payload_t<T>>& serde, const std::optional<BytesView>& bytes,
                  T& out) {
  if constexpr (is_nullable<T>) {
    if (!bytes) {
      out.reset();
      return true;
    }
    if (!out) out.emplace();
    serde.deserialize(*bytes, *out);
    return true;
  } else {
    if (!bytes) return false;
    serde.deserialize(*bytes, out);
    return true;
  }
}

template <typename K, typename V>
class SourceOf final : public Sender<K, V, SourceNode> {
 public:
  SourceOf(std::string name, AnySerde<payload_t<K>> key_serde, AnySerde<payload_t<V>> value_serde,
           TimestampExtractor<K, V> extractor)
      : Sender<K, V, SourceNode>(std::move(name)),
        key_serde_(std::move(key_serde)),
        value_serde_(std::move(value_serde)),
        extractor_(std::move(extractor)) {}

  std::unique_ptr<SourceInput> open_input(TaskContext& context) override {
    return std::make_unique<Input>(*this, context);
  }

 private:
  class Input final : public SourceInput {
   public:
    Input(SourceOf& source, TaskContext& task) : source_(source), task_(task) {}

    bool prepare(const RecordView& record, const RecordMetadata&,
                 Timestamp partition_time) override {
      if (!read_payload<K>(source_.key_serde_, record.key, key_)) return drop("null key");
      if (!read_payload<V>(source_.value_serde_, record.value, value_)) return drop("null value");
      timestamp_ =
          source_.extractor_.extract(key_, value_, record.timestamp, partition_time, task_);
      if (to_millis(timestamp_) < 0) return drop("negative timestamp");
      if (!record.headers.empty() || !headers_.empty()) headers_ = Headers::decode(record.headers);
      return true;
    }

    Timestamp timestamp() const override { return timestamp_; }

    void process() override {
      RecordHeaders headers(headers_);
      source_.pass_on(key_, value_, {timestamp_, &headers_, &headers});
    }

    bool expects() const override { return source_.anyone_expects(); }

    void expect(std::span<const RecordView> records) override {
      if constexpr (!is_nullable<K>) {
        keys_.resize(records.size());
        std::size_t count = 0;
        for (const RecordView& record : records) {
          if (record.key) source_.key_serde_.deserialize(*record.key, keys_[count++]);
        }
        source_.announce(std::span<const K>(keys_).first(count));
      }
    }

   private:
    bool drop(std::string_view reason) {
      task_.dropped(source_.name(), reason);
      return false;
    }

    SourceOf& source_;
    TaskContext& task_;
    K key_{};
    V value_{};
    std::vector<K> keys_;  ///< Expected; kept for their memory.
    Timestamp timestamp_ = kNoTimestamp;
    Headers headers_;
  };

  AnySerde<payload_t<K>> key_serde_;
  AnySerde<payload_t<V>> value_serde_;
  TimestampExtractor<K, V> extractor_;
};

template <typename K, typename V>
SourcePlan plan_source(AnySerde<payload_t<K>> key_serde, AnySerde<payload_t<V>> value_serde,
                       std::optional<AutoOffsetReset> auto_offset_reset = {},
                       TimestampExtractor<K, V> extractor = {}) {
  SourcePlan plan{.make = {},
                  .output = FlowType::of<K, V>(),
                  .key_schema = key_serde.schema(),
                  .value_schema = value_serde.schema(),
                  .auto_offset_reset = auto_offset_reset};
  plan.make = [key_serde = std::move(key_serde), value_serde = std::move(value_serde),
               extractor = std::move(extractor)](const PlannedNode& node) {
    return std::make_unique<SourceOf<K, V>>(node.name, key_serde, value_serde, extractor);
  };
  return plan;
}

}  // namespace thalweg::internal
