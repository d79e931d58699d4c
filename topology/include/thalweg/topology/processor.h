#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

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

/// The record being processed, by reference: valid for the call only. Headers that are added here
/// are those of whatever is forwarded with the record's headers, and are seen, as in Kafka Streams,
/// by other nodes that get the very same record after this one.
template <typename K, typename V>
struct RecordRef {
  const K& key;
  const V& value;
  Timestamp timestamp;
  Headers& headers;
};

/// What a processor can do besides processing; lives as long as the processor.
template <typename KOut, typename VOut>
class ProcessorContext {
 public:
  virtual ~ProcessorContext() = default;

  /// Sends a record to all children, which run before this returns. `child` names a single one.
  virtual void forward(const KOut& key, const VOut& value, Timestamp timestamp,
                       const Headers& headers, std::string_view child = {}) = 0;
  /// With the timestamp and headers of the record being processed; in a punctuation, with its time.
  virtual void forward(const KOut& key, const VOut& value, std::string_view child = {}) = 0;

  /// The store `name`, which the topology connected to this processor. Throws StreamsError when it
  /// is not connected, TopologyError when it is not of that type.
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

/// Arbitrary per-record code with state: the Processor API. One instance per task, used by one
/// thread.
template <typename KIn, typename VIn, typename KOut = KIn, typename VOut = VIn>
class Processor {
 public:
  using InputKey = KIn;
  using InputValue = VIn;
  using OutputKey = KOut;
  using OutputValue = VOut;

  virtual ~Processor() = default;
  /// Called once, with stores open; `context` outlives the processor.
  virtual void init(ProcessorContext<KOut, VOut>& context) { context_ = &context; }
  virtual void process(const RecordRef<KIn, VIn>& record) = 0;
  virtual void close() {}

 protected:
  ProcessorContext<KOut, VOut>& context() { return *context_; }

 private:
  ProcessorContext<KOut, VOut>* context_ = nullptr;
};

/// What a fixed-key processor forwards to: the key stays that of the record being processed, so no
/// repartitioning can become necessary (KIP-820).
template <typename K, typename VOut>
class FixedKeyProcessorContext {
 public:
  virtual ~FixedKeyProcessorContext() = default;
  /// Throws StreamsError in a punctuation, where there is no key.
  virtual void forward(const VOut& value, Timestamp timestamp, const Headers& headers) = 0;
  /// With the timestamp and headers of the record being processed.
  virtual void forward(const VOut& value) = 0;

  template <typename SK, typename SV>
  KeyValueStore<SK, SV>& key_value_store(std::string_view name) {
    return internal::store_as<KeyValueStore<SK, SV>>(store(name));
  }
  template <typename SK, typename SV>
  WindowStore<SK, SV>& window_store(std::string_view name) {
    return internal::store_as<WindowStore<SK, SV>>(store(name));
  }
  template <typename SK, typename SV>
  SessionStore<SK, SV>& session_store(std::string_view name) {
    return internal::store_as<SessionStore<SK, SV>>(store(name));
  }
  template <typename SK, typename SV>
  VersionedKeyValueStore<SK, SV>& versioned_key_value_store(std::string_view name) {
    return internal::store_as<VersionedKeyValueStore<SK, SV>>(store(name));
  }
  virtual Cancellable schedule(std::chrono::milliseconds interval, PunctuationType type,
                               Punctuator punctuator) = 0;
  virtual std::string_view name() const = 0;
  virtual TaskContext& task() = 0;

 protected:
  virtual StateStore& store(std::string_view name) = 0;
};

/// A processor that cannot change the key: used by KStream::process_values.
template <typename K, typename VIn, typename VOut = VIn>
class FixedKeyProcessor {
 public:
  using InputKey = K;
  using InputValue = VIn;
  using OutputValue = VOut;

  virtual ~FixedKeyProcessor() = default;
  virtual void init(FixedKeyProcessorContext<K, VOut>& context) { context_ = &context; }
  virtual void process(const RecordRef<K, VIn>& record) = 0;
  virtual void close() {}

 protected:
  FixedKeyProcessorContext<K, VOut>& context() { return *context_; }

 private:
  FixedKeyProcessorContext<K, VOut>* context_ = nullptr;
};

}  // namespace thalweg
