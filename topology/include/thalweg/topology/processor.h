#pragma once

#include <string_view>

#include <thalweg/topology/processing_context.h>

namespace thalweg {

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
class ProcessorContext : public ProcessingContext {
 public:
  /// Sends a record to all children, which run before this returns. `child` names a single one.
  virtual void forward(const KOut& key, const VOut& value, Timestamp timestamp,
                       const Headers& headers, std::string_view child = {}) = 0;
  /// With the timestamp and headers of the record being processed; in a punctuation, with its time.
  virtual void forward(const KOut& key, const VOut& value, std::string_view child = {}) = 0;
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
class FixedKeyProcessorContext : public ProcessingContext {
 public:
  /// Throws StreamsError in a punctuation, where there is no key.
  virtual void forward(const VOut& value, Timestamp timestamp, const Headers& headers) = 0;
  /// With the timestamp and headers of the record being processed.
  virtual void forward(const VOut& value) = 0;
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
