#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <thalweg/state/key_value_store.h>
#include <thalweg/state/session_store.h>
#include <thalweg/state/versioned_key_value_store.h>
#include <thalweg/state/window_store.h>
#include <thalweg/topology/errors.h>
#include <thalweg/topology/task_context.h>

namespace thalweg {

namespace internal {

/// The store as one of that kind and those types.
template <typename Store>
Store& store_as(StateStore& store) {
  auto* typed = dynamic_cast<Store*>(&store);
  if (!typed) {
    throw TopologyError("store " + store.name() +
                        " has other key or value types, or is of another kind");
  }
  return *typed;
}

}  // namespace internal

/// What user code in a node can ask for, whatever it may forward: its stores, the time, its name.
/// Lives as long as that code, and is used by the thread of its task.
class ProcessingContext {
 public:
  virtual ~ProcessingContext() = default;

  /// The store `name`, which the topology connected to this node. Throws StreamsError when it is
  /// not connected, TopologyError when it is not of that type.
  template <typename K, typename V>
  KeyValueStore<K, V>& key_value_store(std::string_view name) {
    return internal::store_as<KeyValueStore<K, V>>(store(name));
  }
  template <typename K, typename V>
  WindowStore<K, V>& window_store(std::string_view name) {
    return internal::store_as<WindowStore<K, V>>(store(name));
  }
  template <typename K, typename V>
  SessionStore<K, V>& session_store(std::string_view name) {
    return internal::store_as<SessionStore<K, V>>(store(name));
  }
  template <typename K, typename V>
  VersionedKeyValueStore<K, V>& versioned_key_value_store(std::string_view name) {
    return internal::store_as<VersionedKeyValueStore<K, V>>(store(name));
  }

  /// Calls `punctuator` each `interval`; see TaskContext::schedule(). Within it, forward() without
  /// a timestamp uses the punctuation's time and no headers.
  virtual Cancellable schedule(std::chrono::milliseconds interval, PunctuationType type,
                               Punctuator punctuator) = 0;
  /// The node's name in the topology.
  virtual std::string_view name() const = 0;
  /// The runtime's side: task id, clocks, metadata of the record, commit requests.
  virtual TaskContext& task() = 0;

 protected:
  virtual StateStore& store(std::string_view name) = 0;
};

}  // namespace thalweg
