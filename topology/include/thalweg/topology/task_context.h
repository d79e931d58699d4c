#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <thalweg/schemas/record.h>
#include <thalweg/state/state_store.h>

namespace thalweg {

/// Which clock a punctuation follows.
enum class PunctuationType : std::uint8_t {
  kStreamTime,     ///< The task's stream time: the highest timestamp it has taken so far.
  kWallClockTime,  ///< The application's clock.
};

/// Called when a punctuation is due, with stream time or wall-clock time.
using Punctuator = std::function<void(Timestamp)>;

/// A handle on a scheduled punctuation. Copies share it; destruction does not cancel.
class Cancellable {
 public:
  Cancellable() = default;
  explicit Cancellable(std::shared_ptr<bool> cancelled) : cancelled_(std::move(cancelled)) {}
  void cancel() {
    if (cancelled_) *cancelled_ = true;
  }

 private:
  std::shared_ptr<bool> cancelled_;
};

/// A topic as sinks address it; chosen by the RecordCollector.
using TopicHandle = std::uint32_t;

/// Where a task's output goes: into the open transaction of its worker.
class RecordCollector {
 public:
  virtual ~RecordCollector() = default;
  /// The handle of `topic` (its full name on the log). A handle stays valid as long as the
  /// collector.
  virtual TopicHandle topic(std::string_view name) = 0;
  virtual std::int32_t partitions(TopicHandle topic) = 0;
  /// Writes one record; the bytes are copied. Never fails visibly: what cannot be written aborts
  /// the transaction, or goes to the production exception handler.
  virtual void send(TopicHandle topic, std::int32_t partition, std::optional<BytesView> key,
                    std::optional<BytesView> value, Timestamp timestamp,
                    const Headers& headers) = 0;
};

namespace internal {
class AsyncWork;
}

/// What the nodes of a sub-topology may ask of the task that runs them.
class TaskContext {
 public:
  virtual ~TaskContext() = default;
  virtual std::string_view application_id() const = 0;
  virtual TaskId task_id() const = 0;
  /// All settings of the application, by their keys, as text. Lives as long as the task.
  virtual const std::map<std::string, std::string>& app_configs() const {
    static const std::map<std::string, std::string> kNone;
    return kNone;
  }
  /// The path of a directory for files of the task's own, under `state.dir`, which may have to be
  /// made. Nothing here knows of what is in it: it is not restored, and does not move with the
  /// task.
  virtual std::string state_dir() const { return {}; }
  /// The store of that name; the topology checked that the node may use it.
  virtual StateStore& store(std::string_view name) = 0;
  /// The global store of that name, which every node may read; null if there is none.
  virtual StateStore* global_store(std::string_view /*name*/) { return nullptr; }
  virtual RecordCollector& collector() = 0;
  /// Adds `<application.id>-` to the name of an internal topic; other names stay.
  virtual std::string topic_name(std::string_view name, bool internal) const = 0;

  virtual Timestamp stream_time() const = 0;
  virtual Timestamp wall_clock_time() const = 0;
  /// The record being processed; no topic in a punctuation.
  virtual const RecordMetadata& metadata() const = 0;

  /// How long of wall-clock time a node waits at least before it looks again for results that have
  /// become final.
  virtual std::chrono::milliseconds emit_interval() const { return std::chrono::milliseconds(0); }

  /// Calls `punctuator` each `interval` by Kafka Streams' rules (stream time: first with the first
  /// record, then at multiples of the interval, once for several missed; wall clock: from now on).
  virtual Cancellable schedule(std::chrono::milliseconds interval, PunctuationType type,
                               std::string_view node, Punctuator punctuator) = 0;
  /// Sets the time that stores give to writes without one, and returns what it was: that of the
  /// record being processed. A node whose input has another time than the task's record calls this.
  virtual Timestamp exchange_record_time(Timestamp time) { return time; }
  /// Sets what metadata() answers, and returns what it was: that of the record a result stems from.
  /// The topic's name must outlive the call that follows.
  virtual RecordMetadata exchange_metadata(RecordMetadata record) { return record; }
  /// Has the task drive what a node does outside of it, until the node is closed. Returns what
  /// wakes the task, for any thread to call; may be empty. Throws StreamsError where there is no
  /// outside: global stores have none.
  virtual std::function<void()> add_async_work(internal::AsyncWork& work);
  /// Asks for a commit soon.
  virtual void request_commit() = 0;
  /// Called while handling what `node` threw for one record. True: go on with the next node, as the
  /// processing exception handler says; false: let it end the task.
  virtual bool skip_failed(std::string_view /*node*/, const std::exception& /*error*/) {
    return false;
  }
  /// Called while handling that `node` could not make bytes of a result. True: go on without it, as
  /// the production exception handler says; false: let it end the task.
  virtual bool skip_unwritable(std::string_view /*node*/, const std::exception& /*error*/) {
    return false;
  }
  /// Counts a record that `node` dropped (`dropped-records`), with the reason for the log.
  virtual void dropped(std::string_view node, std::string_view reason) = 0;
  /// A number that a node keeps across restarts, committed with the task's positions.
  virtual std::optional<std::int64_t> processor_metadata(std::string_view /*key*/) const {
    return std::nullopt;
  }
  virtual void set_processor_metadata(std::string_view /*key*/, std::int64_t /*value*/) {}
  /// Adds one to a metric of `node`: `suppression-emit`, `window-aggregate-final-emit`, or one of
  /// the application's own, such as `orders-refused`. With the application's metrics it is the
  /// counter `kafka_streams_stream_processor_node_metrics_<metric>_total`, in the test driver
  /// `<metric>-total/<node>`. What is counted again after a failure is counted twice.
  virtual void count(std::string_view /*metric*/, std::string_view /*node*/) {}
};

}  // namespace thalweg
