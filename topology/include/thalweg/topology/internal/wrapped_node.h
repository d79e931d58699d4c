#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include <thalweg/topology/internal/node.h>
#include <thalweg/topology/internal/payload.h>
#include <thalweg/topology/processor_wrapper.h>

namespace thalweg::internal {

template <typename T>
WrappedRecord::Part wrapped_part(const T& part) {
  return {payload_of(part), &typeid(payload_t<T>)};
}
template <typename V>
WrappedRecord::Part wrapped_part(const Change<V>& change) {
  return {change.new_value, &typeid(V)};
}

/// Takes a processor's records first. Children belong to the processor itself.
template <typename K, typename V>
class WrappedNode final : public ProcessorNode, public Receiver<K, V> {
 public:
  WrappedNode(ProcessorNode& inner, std::unique_ptr<WrappedProcessor> wrapped)
      : ProcessorNode(inner.name()),
        inner_(inner),
        receiver_(dynamic_cast<Receiver<K, V>&>(inner)),
        wrapped_(std::move(wrapped)) {}

  void add_child(ProcessorNode& child) override { inner_.add_child(child); }
  void process(const K& key, const V& value, const RecordContext& context) override {
    struct Inner final : WrappedProcessor::Inner {
      Inner(Receiver<K, V>& to, const K& with_key, const V& with_value, const RecordContext& in)
          : receiver(to), key(with_key), value(with_value), context(in) {}
      void process() override { receiver.process(key, value, context); }
      Receiver<K, V>& receiver;
      const K& key;
      const V& value;
      const RecordContext& context;
    };
    Inner inner(receiver_, key, value, context);
    wrapped_->process({.key_part = wrapped_part(key),
                       .value_part = wrapped_part(value),
                       .timestamp = context.timestamp,
                       .headers = context.headers},
                      inner);
  }
  void close() override { wrapped_->close(); }

 private:
  void start(TaskContext& task) override { wrapped_->init(task); }

  ProcessorNode& inner_;
  Receiver<K, V>& receiver_;
  std::unique_ptr<WrappedProcessor> wrapped_;
};

template <typename K, typename V>
std::unique_ptr<ProcessorNode> wrap_node(ProcessorNode& inner,
                                         std::unique_ptr<WrappedProcessor> wrapped) {
  return std::make_unique<WrappedNode<K, V>>(inner, std::move(wrapped));
}

}  // namespace thalweg::internal
