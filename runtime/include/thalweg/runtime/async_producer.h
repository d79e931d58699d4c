#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <thalweg/runtime/log.h>

namespace thalweg {

/// Writes records to a log from any thread: how HTTP requests and tools enter a topology.
///
/// Records sent at about the same time share one write and one sync. Each send() ends with one call
/// of its callback: with the record's place once it is durable, or with the reason why it is not in
/// the log. What waits for a log that does not answer is bounded: beyond 64 MB, kUnavailable at
/// once, within the call.
class AsyncProducer {
 public:
  struct Sent {
    TopicPartition partition;
    Offset offset = kNoOffset;
  };
  using Callback = std::function<void(Result<Sent>)>;

  AsyncProducer(Log& log, std::string client_id);
  ~AsyncProducer();  ///< As close().

  /// The partition is murmur2 of the key, as Java's producer chooses it; without a key, in turn; or
  /// the one given.
  void send(std::string topic, std::optional<std::string> key, std::optional<std::string> value,
            Timestamp timestamp, Headers headers, Callback callback,
            std::optional<std::int32_t> partition = std::nullopt);
  /// Writes what was sent, calls its callbacks and stops; once the log has refused something, what
  /// still waits fails with kUnavailable, as later sends do.
  void close();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace thalweg
