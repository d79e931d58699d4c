#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <typeinfo>

#include <thalweg/schemas/record.h>
#include <thalweg/topology/task_context.h>

namespace thalweg {

/// A record on its way into a processor, whatever its types. Valid during the call only.
struct WrappedRecord {
  struct Part {
    const void* at = nullptr;  ///< Null: the record has none.
    const std::type_info* type = &typeid(void);
  };
  Part key_part = {};
  Part value_part = {};  ///< Of a table's change: the new value.
  Timestamp timestamp = kNoTimestamp;
  const Headers* headers = &kNoHeaders;

  /// Null if the record has no key, or one of another type.
  template <typename K>
  const K* key() const {
    return *key_part.type == typeid(K) ? static_cast<const K*>(key_part.at) : nullptr;
  }
  template <typename V>
  const V* value() const {
    return *value_part.type == typeid(V) ? static_cast<const V*>(value_part.at) : nullptr;
  }
};

/// Stands around one processor of one task, used by the task's thread: for traces, measurements,
/// rules that hold for all processors.
class WrappedProcessor {
 public:
  /// Lets the processor do its work, and all that are behind it. Throws what they throw.
  class Inner {
   public:
    virtual void process() = 0;

   protected:
    ~Inner() = default;
  };

  virtual ~WrappedProcessor() = default;
  /// Before the processor's own; stores are open.
  virtual void init(TaskContext&) {}
  /// Without a call of `inner.process()` the record ends here.
  virtual void process(const WrappedRecord& record, Inner& inner) = 0;
  virtual void close() {}
};

/// Asked once for each processor of each task, those of the DSL included (KIP-1112); null leaves
/// the processor bare. Called from any thread.
using ProcessorWrapper =
    std::function<std::unique_ptr<WrappedProcessor>(std::string_view processor)>;

}  // namespace thalweg
