#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/topology/errors.h>
#include <thalweg/topology/internal/node.h>

namespace thalweg::internal {

/// Called while `node` is left by an exception. Returns if the processing exception handler says to
/// go on; else rethrows it as a ProcessorError of that node, unless a node further down has already
/// done so.
void handle_failure(const ProcessorNode& node);
[[noreturn]] void cannot_be_child(const ProcessorNode& parent, const ProcessorNode& child);

/// A node with output: hands records to its children, depth first, in the order in which they were
/// added. This is the boundary at which an exception is handled and gets the name of the node that
/// it left; it costs nothing while none is thrown.
template <typename K, typename V, typename Base = ProcessorNode>
class Sender : public Base {
 public:
  using Base::Base;

  void add_child(ProcessorNode& child) override {
    auto* receiver = dynamic_cast<Receiver<K, V>*>(&child);
    if (!receiver) cannot_be_child(*this, child);
    children_.push_back({receiver, &child});
  }

  /// A record that this node has made.
  void forward(const K& key, const V& value, const RecordContext& context) {
    RecordHeaders headers(context.headers);
    pass_on(key, value, {context.timestamp, context.headers, &headers});
  }
  /// The very record that came.
  void pass_on(const K& key, const V& value, const RecordContext& context) {
    for (const Child& child : children_) {
      deliver(child, key, value,
              {context.timestamp, context.shared->current(), context.shared});
    }
  }
  void pass_on_to(std::size_t child, const K& key, const V& value, const RecordContext& context) {
    deliver(children_[child], key, value, context);
  }
  /// A record that this node has made. False: there is no child of that name.
  bool forward_to(std::string_view name, const K& key, const V& value,
                  const RecordContext& context) {
    RecordHeaders headers(context.headers);
    for (const Child& child : children_) {
      if (child.node->name() == name) {
        deliver(child, key, value, {context.timestamp, context.headers, &headers});
        return true;
      }
    }
    return false;
  }
  std::size_t children() const { return children_.size(); }
  /// See Receiver::expects() and expect(): of the children.
  bool anyone_expects() const {
    return std::ranges::any_of(children_,
                               [](const Child& child) { return child.receiver->expects(); });
  }
  void announce(std::span<const K> keys) {
    for (const Child& child : children_) child.receiver->expect(keys);
  }

 private:
  struct Child {
    Receiver<K, V>* receiver;
    ProcessorNode* node;
  };

  static void deliver(const Child& child, const K& key, const V& value,
                      const RecordContext& context) {
    try {
      child.receiver->process(key, value, context);
    } catch (...) {
      handle_failure(*child.node);
    }
  }

  std::vector<Child> children_;
};

/// A node that hands on its records' keys: they are announced behind it too.
template <typename K, typename V, typename VOut = V>
class KeyKeeper : public Sender<K, VOut>, public Receiver<K, V> {
 public:
  using Sender<K, VOut>::Sender;
  bool expects() const final { return this->anyone_expects(); }
  void expect(std::span<const K> keys) final { this->announce(keys); }
};

}  // namespace thalweg::internal
