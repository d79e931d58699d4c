#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <thalweg/state/key_value_store.h>
#include <thalweg/topology/errors.h>
#include <thalweg/topology/task_context.h>

namespace thalweg {

/// What a value transformer can ask for; lives as long as the transformer. It cannot forward.
class ValueTransformerContext {
 public:
  virtual ~ValueTransformerContext() = default;

  /// The time of the change being transformed. While somebody downstream looks a row up, the time
  /// of that row, or kNoTimestamp if there is none.
  virtual Timestamp timestamp() const = 0;
  /// Of the record that caused the change; empty while a row is looked up.
  virtual const Headers& headers() const = 0;

  /// The store `name`, which transform_values() was given. Throws TopologyError when it was not, or
  /// is not of that type.
  template <typename K, typename V>
  KeyValueStore<K, V>& key_value_store(std::string_view name) {
    auto* typed = dynamic_cast<KeyValueStore<K, V>*>(&store(name));
    if (!typed) throw TopologyError("store " + std::string(name) + " has other key or value types");
    return *typed;
  }
  virtual Cancellable schedule(std::chrono::milliseconds interval, PunctuationType type,
                               Punctuator punctuator) = 0;
  /// The node's name in the topology.
  virtual std::string_view name() const = 0;
  virtual TaskContext& task() = 0;

 protected:
  virtual StateStore& store(std::string_view name) = 0;
};

/// Computes the values of a table from those of another, with state if it likes: used by
/// KTable::transform_values(). One instance for each task and place where rows are computed, used
/// by one thread.
template <typename K, typename V, typename VOut = V>
class ValueTransformerWithKey {
 public:
  using InputKey = K;
  using InputValue = V;
  using OutputValue = VOut;

  virtual ~ValueTransformerWithKey() = default;
  /// Called once, with stores open; `context` outlives the transformer.
  virtual void init(ValueTransformerContext& context) { context_ = &context; }
  /// The value for a row; null: none. Called for deletions too, with a null `value`.
  virtual std::optional<VOut> transform(const K& key, const V* value) = 0;
  virtual void close() {}

 protected:
  ValueTransformerContext& context() { return *context_; }

 private:
  ValueTransformerContext* context_ = nullptr;
};

}  // namespace thalweg
