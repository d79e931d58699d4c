#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/sender.h>
#include <thalweg/topology/internal/topology_graph.h>
#include <thalweg/topology/processor.h>

namespace thalweg::internal {

/// The store `name` of the task. Throws TopologyError unless it is among those `connected` to
/// `node`.
StateStore& connected_store(TaskContext& task, std::string_view node,
                            const std::vector<std::string>& connected, std::string_view name);

/// What contexts of both kinds of processor share: everything but the types.
class ProcessorSite {
 public:
  ProcessorSite(ProcessorNode& node, std::vector<std::string> stores)
      : node_(node), stores_(std::move(stores)) {}

  void init(TaskContext& task) { task_ = &task; }
  TaskContext& task() const { return *task_; }
  const std::string& name() const { return node_.name(); }
  /// Throws StreamsError if the store is not connected to the processor.
  StateStore& store(std::string_view name) const;
  /// Of the record or punctuation at hand; outside of both, stream time and no headers.
  RecordContext record() const;
  Cancellable schedule(std::chrono::milliseconds interval, PunctuationType type,
                       Punctuator punctuator);
  [[noreturn]] void no_such_child(std::string_view child) const;
  [[noreturn]] void no_record() const;
  [[noreturn]] static void no_processor(const std::string& node);

  /// While it lives, forwards inherit from `context`, and so do writes to stores.
  class Scope {
   public:
    Scope(ProcessorSite& site, const RecordContext& context)
        : site_(site), time_before_(site.task_->exchange_record_time(context.timestamp)) {
      site_.current_ = &context;
    }
    ~Scope() {
      site_.current_ = nullptr;
      site_.task_->exchange_record_time(time_before_);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    ProcessorSite& site_;
    Timestamp time_before_;
  };

 private:
  ProcessorNode& node_;
  std::vector<std::string> stores_;
  TaskContext* task_ = nullptr;
  const RecordContext* current_ = nullptr;
};

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
    processor_->init(context_);
  }
  void process(const KIn& key, const VIn& value, const RecordContext& context) override {
    Headers& headers = context.shared->own();
    const RecordContext current{context.timestamp, &headers};
    const ProcessorSite::Scope scope(context_.site, current);
    processor_->process({key, value, context.timestamp, headers});
  }
  void close() override { processor_->close(); }

 private:
  struct Context final : ProcessorContext<KOut, VOut> {
    Context(ProcessNode& owner, std::vector<std::string> stores)
        : node(owner), site(owner, std::move(stores)) {}

    void forward(const KOut& key, const VOut& value, Timestamp timestamp, const Headers& headers,
                 std::string_view child) override {
      send(key, value, {timestamp, &headers}, child);
    }
    void forward(const KOut& key, const VOut& value, std::string_view child) override {
      send(key, value, site.record(), child);
    }
    Cancellable schedule(std::chrono::milliseconds interval, PunctuationType type,
                         Punctuator punctuator) override {
      return site.schedule(interval, type, std::move(punctuator));
    }
    std::string_view name() const override { return site.name(); }
    TaskContext& task() override { return site.task(); }
    StateStore& store(std::string_view name) override { return site.store(name); }

    void send(const KOut& key, const VOut& value, const RecordContext& context,
              std::string_view child) {
      if (child.empty()) return node.forward(key, value, context);
      if (!node.forward_to(child, key, value, context)) site.no_such_child(child);
    }

    ProcessNode& node;
    ProcessorSite site;
  };

  Context context_;
  std::unique_ptr<P> processor_;
};

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
    processor_->init(context_);
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
  struct Context final : FixedKeyProcessorContext<K, VOut> {
    Context(ProcessValuesNode& owner, std::vector<std::string> stores)
        : node(owner), site(owner, std::move(stores)) {}

    void forward(const VOut& value, Timestamp timestamp, const Headers& headers) override {
      if (!key) site.no_record();
      node.Sender<K, VOut>::forward(*key, value, {timestamp, &headers});
    }
    void forward(const VOut& value) override {
      if (!key) site.no_record();
      node.Sender<K, VOut>::forward(*key, value, site.record());
    }
    Cancellable schedule(std::chrono::milliseconds interval, PunctuationType type,
                         Punctuator punctuator) override {
      return site.schedule(interval, type, std::move(punctuator));
    }
    std::string_view name() const override { return site.name(); }
    TaskContext& task() override { return site.task(); }
    StateStore& store(std::string_view name) override { return site.store(name); }

    struct KeyScope {
      KeyScope(Context& owner, const K& current) : context(owner) { context.key = &current; }
      ~KeyScope() { context.key = nullptr; }
      KeyScope(const KeyScope&) = delete;
      KeyScope& operator=(const KeyScope&) = delete;
      Context& context;
    };

    ProcessValuesNode& node;
    ProcessorSite site;
    const K* key = nullptr;
  };

  Context context_;
  std::unique_ptr<P> processor_;
};

template <typename S, template <typename> typename Node>
NodeFactory supply(S supplier) {
  return [supplier = std::move(supplier)](const PlannedNode& planned) {
    auto processor = std::invoke(supplier);
    if (!processor) ProcessorSite::no_processor(planned.name);
    return std::make_unique<Node<supplied_t<S>>>(planned, std::move(processor));
  };
}

template <typename S>
ProcessorPlan plan_process(S supplier) {
  using Node = ProcessNode<supplied_t<S>>;
  return {.make = supply<S, ProcessNode>(std::move(supplier)),
          .input = FlowType::of<typename Node::KIn, typename Node::VIn>(),
          .output = FlowType::of<typename Node::KOut, typename Node::VOut>()};
}

template <typename S>
ProcessorPlan plan_process_values(S supplier) {
  using Node = ProcessValuesNode<supplied_t<S>>;
  return {.make = supply<S, ProcessValuesNode>(std::move(supplier)),
          .input = FlowType::of<typename Node::K, typename Node::VIn>(),
          .output = FlowType::of<typename Node::K, typename Node::VOut>()};
}

}  // namespace thalweg::internal
