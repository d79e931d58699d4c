#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/processor_site.h>
#include <thalweg/topology/internal/sender.h>
#include <thalweg/topology/processor.h>

namespace thalweg::internal {

/// Runs a user's Processor.
template <typename P>
class ProcessNode final : public Sender<typename P::OutputKey, typename P::OutputValue>,
                          public Receiver<typename P::InputKey, typename P::InputValue> {
 public:
  using KIn = typename P::InputKey;
  using VIn = typename P::InputValue;
  using KOut = typename P::OutputKey;
  using VOut = typename P::OutputValue;

  ProcessNode(const PlannedNode& planned, std::unique_ptr<P> processor)
      : Sender<KOut, VOut>(planned.name),
        context_(*this, planned.stores),
        processor_(std::move(processor)) {}

  void start(TaskContext& task) override {
    context_.site.init(task);
    looked_up_ = context_.site.template only_store_of<KIn>();
    processor_->init(context_);
  }
  bool expects() const override { return looked_up_ != nullptr; }
  void expect(std::span<const KIn> keys) override {
    if (looked_up_) looked_up_->expect(keys);
  }
  void process(const KIn& key, const VIn& value, const RecordContext& context) override {
    Headers& headers = context.shared->own();
    const RecordContext current{context.timestamp, &headers};
    const ProcessorSite::Scope scope(context_.site, current);
    processor_->process({key, value, context.timestamp, headers});
  }
  void close() override { processor_->close(); }

 private:
  struct Context final : SiteContext<ProcessorContext<KOut, VOut>> {
    Context(ProcessNode& owner, std::vector<std::string> stores)
        : SiteContext<ProcessorContext<KOut, VOut>>(owner, std::move(stores)), node(owner) {}

    void forward(const KOut& key, const VOut& value, Timestamp timestamp, const Headers& headers,
                 std::string_view child) override {
      this->site.check_time(timestamp);
      send(key, value, {timestamp, &headers}, child);
    }
    void forward(const KOut& key, const VOut& value, std::string_view child) override {
      send(key, value, this->site.record(), child);
    }

    void send(const KOut& key, const VOut& value, const RecordContext& context,
              std::string_view child) {
      if (child.empty()) return node.forward(key, value, context);
      if (!node.forward_to(child, key, value, context)) this->site.no_such_child(child);
    }

    ProcessNode& node;
  };

  Context context_;
  std::unique_ptr<P> processor_;
  KeyedStore<KIn>* looked_up_ = nullptr;  // Where records' keys most likely are.
};

template <typename S>
ProcessorPlan plan_process(S supplier) {
  using Node = ProcessNode<supplied_t<S>>;
  return {.make = supply<S, ProcessNode>(std::move(supplier)),
          .input = FlowType::of<typename Node::KIn, typename Node::VIn>(),
          .output = FlowType::of<typename Node::KOut, typename Node::VOut>()};
}

}  // namespace thalweg::internal
