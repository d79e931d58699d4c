#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/processor_site.h>
#include <thalweg/topology/internal/sender.h>
#include <thalweg/topology/processor.h>

namespace thalweg::internal {

/// Runs a user's FixedKeyProcessor.
template <typename P>
class ProcessValuesNode final : public Sender<typename P::InputKey, typename P::OutputValue>,
                                public Receiver<typename P::InputKey, typename P::InputValue> {
 public:
  using K = typename P::InputKey;
  using VIn = typename P::InputValue;
  using VOut = typename P::OutputValue;

  ProcessValuesNode(const PlannedNode& planned, std::unique_ptr<P> processor)
      : Sender<K, VOut>(planned.name),
        context_(*this, planned.stores),
        processor_(std::move(processor)) {}

  void start(TaskContext& task) override {
    context_.site.init(task);
    looked_up_ = context_.site.template only_store_of<K>();
    processor_->init(context_);
  }
  bool expects() const override { return looked_up_ || this->anyone_expects(); }
  void expect(std::span<const K> keys) override {
    if (looked_up_) looked_up_->expect(keys);
    this->announce(keys);
  }
  void process(const K& key, const VIn& value, const RecordContext& context) override {
    Headers headers = *context.headers;
    const RecordContext current{context.timestamp, &headers};
    const ProcessorSite::Scope scope(context_.site, current);
    const typename Context::KeyScope key_scope(context_, key);
    processor_->process({key, value, context.timestamp, headers});
  }
  void close() override { processor_->close(); }

 private:
  struct Context final : SiteContext<FixedKeyProcessorContext<K, VOut>> {
    Context(ProcessValuesNode& owner, std::vector<std::string> stores)
        : SiteContext<FixedKeyProcessorContext<K, VOut>>(owner, std::move(stores)), node(owner) {}

    void forward(const VOut& value, Timestamp timestamp, const Headers& headers) override {
      if (!key) this->site.no_record();
      this->site.check_time(timestamp);
      node.Sender<K, VOut>::forward(*key, value, {timestamp, &headers});
    }
    void forward(const VOut& value) override {
      if (!key) this->site.no_record();
      node.Sender<K, VOut>::forward(*key, value, this->site.record());
    }

    struct KeyScope {
      KeyScope(Context& owner, const K& current) : context(owner) { context.key = &current; }
      ~KeyScope() { context.key = nullptr; }
      KeyScope(const KeyScope&) = delete;
      KeyScope& operator=(const KeyScope&) = delete;
      Context& context;
    };

    ProcessValuesNode& node;
    const K* key = nullptr;
  };

  Context context_;
  std::unique_ptr<P> processor_;
  KeyedStore<K>* looked_up_ = nullptr;  // Where records' keys most likely are.
};

template <typename S>
ProcessorPlan plan_process_values(S supplier) {
  using Node = ProcessValuesNode<supplied_t<S>>;
  return {.make = supply<S, ProcessValuesNode>(std::move(supplier)),
          .input = FlowType::of<typename Node::K, typename Node::VIn>(),
          .output = FlowType::of<typename Node::K, typename Node::VOut>()};
}

}  // namespace thalweg::internal
