#pragma once

#include <optional>

#include <thalweg/topology/processing_context.h>

namespace thalweg {

/// What a value transformer can ask for; lives as long as the transformer. It cannot forward, and
/// its stores are those that transform_values() was given.
class ValueTransformerContext : public ProcessingContext {
 public:
  /// The time of the change being transformed. While somebody downstream looks a row up, the time
  /// of that row, or kNoTimestamp if there is none.
  virtual Timestamp timestamp() const = 0;
  /// Of the record that caused the change; empty while a row is looked up.
  virtual const Headers& headers() const = 0;
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
