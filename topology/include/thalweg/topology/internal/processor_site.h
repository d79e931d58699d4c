#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <thalweg/state/key_value_store.h>
#include <thalweg/topology/internal/functions.h>
#include <thalweg/topology/internal/topology_graph.h>
#include <thalweg/topology/processing_context.h>

namespace thalweg::internal {

/// The store `name` of the task. Throws TopologyError unless it is among those `connected` to
/// `node`.
StateStore& connected_store(TaskContext& task, std::string_view node,
                            const std::vector<std::string>& connected, std::string_view name);

/// The place of a user's processor in its task: everything about it but the types.
class ProcessorSite {
 public:
  ProcessorSite(ProcessorNode& node, std::vector<std::string> stores)
      : node_(node), stores_(std::move(stores)) {}

  void init(TaskContext& task) { task_ = &task; }
  TaskContext& task() const { return *task_; }
  const std::string& name() const { return node_.name(); }
  /// Throws StreamsError if the store is not connected to the processor.
  StateStore& store(std::string_view name) const;
  /// The one of its stores that is keyed by K; null if none is, or several are. After init() only.
  template <typename K>
  KeyedStore<K>* only_store_of() const {
    KeyedStore<K>* only = nullptr;
    for (const std::string& name : stores_) {
      auto* keyed = dynamic_cast<KeyedStore<K>*>(&store(name));
      if (keyed && std::exchange(only, keyed)) return nullptr;
    }
    return only;
  }
  /// Of the record or punctuation at hand; outside of both, stream time and no headers.
  RecordContext record() const;
  Cancellable schedule(std::chrono::milliseconds interval, PunctuationType type,
                       Punctuator punctuator);
  [[noreturn]] void no_such_child(std::string_view child) const;
  [[noreturn]] void no_record() const;
  /// Throws std::invalid_argument for a time that a record cannot have.
  static void check_time(Timestamp time);
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

/// A context of one kind, but for what it forwards.
template <typename Interface>
class SiteContext : public Interface {
 public:
  SiteContext(ProcessorNode& node, std::vector<std::string> stores)
      : site(node, std::move(stores)) {}

  Cancellable schedule(std::chrono::milliseconds interval, PunctuationType type,
                       Punctuator punctuator) override {
    return site.schedule(interval, type, std::move(punctuator));
  }
  std::string_view name() const override { return site.name(); }
  TaskContext& task() override { return site.task(); }

  ProcessorSite site;

 private:
  StateStore& store(std::string_view name) override { return site.store(name); }
};

/// Makes a node with a processor of its own for each task.
template <typename S, template <typename> typename Node>
NodeFactory supply(S supplier) {
  return [supplier = std::move(supplier)](const PlannedNode& planned) {
    auto processor = std::invoke(supplier);
    if (!processor) ProcessorSite::no_processor(planned.name);
    return std::make_unique<Node<supplied_t<S>>>(planned, std::move(processor));
  };
}

}  // namespace thalweg::internal
