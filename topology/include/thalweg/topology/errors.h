#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace thalweg {

/// A topology that cannot work: the message names the node or topic at fault and what to change.
/// Thrown while building or starting, never while records flow.
class TopologyError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// A store is asked for what its kind cannot do.
class UnsupportedOperationError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// User code threw, or bytes could not be read and the handler said fail: stops the task. The
/// message names task, node, topic, partition and offset; the cause is nested
/// (std::rethrow_if_nested).
class StreamsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The same while the cache of a store is flushed; the message names task and store.
class ProcessorStateError : public StreamsError {
 public:
  using StreamsError::StreamsError;
};

/// What user code or a serde threw inside a node, with the node's name: what() is
/// `processor=<node>: <message>`, the cause is nested. Thrown to the task, which adds the record.
class ProcessorError : public StreamsError {
 public:
  ProcessorError(std::string processor, const std::string& message)
      : StreamsError("processor=" + processor + ": " + message), processor_(std::move(processor)) {}
  const std::string& processor() const { return processor_; }

 private:
  std::string processor_;
};

}  // namespace thalweg
