#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <thalweg/schemas/error.h>
#include <thalweg/schemas/record.h>
#include <thalweg/state/state_store.h>
#include <thalweg/topology/task_context.h>

namespace thalweg {

// The log port: what the runtime asks of Apache Kafka, of the embedded log, or of the simulated
// one. It is cut at a client's own semantics. Consumers and producers never block: operations
// start, and later report an event from poll(). The calls of Log itself may wait for an answer, all
// but consumer(), producer(), cluster_id() and delete_records(). A consumer or producer is used by
// one thread. The protocol of commits, aborts and assignments stands above the port, once, in
// runtime/.

enum class CleanupPolicy : std::uint8_t { kDelete, kCompact, kCompactAndDelete };

struct TopicSpec {
  std::string name;
  std::int32_t partitions = 1;
  CleanupPolicy cleanup = CleanupPolicy::kDelete;
  /// How long records are kept after their timestamp; negative: for ever.
  std::chrono::milliseconds retention{-1};
  /// More settings by Kafka's names, for a log that has them.
  std::map<std::string, std::string> configs = {};
  /// How long compaction leaves records alone.
  std::chrono::milliseconds min_compaction_lag{0};
};

/// Consecutive records of one partition, sharing one piece of memory.
struct RecordBatch {
  std::uint32_t tag = 0;  ///< As given to LogConsumer::assign().
  std::vector<RecordView> records = {};
  Offset next = 0;  ///< The position after the batch, past control and compacted records.
  /// Where the partition ended when this was fetched; `next`: there was nothing more. Readers of
  /// committed records may be told of an end behind the last stable one, as long as that is not
  /// reached: then a batch follows that says so.
  Offset end = 0;
  CommitSequence commit = 0;  ///< The commit that made the newest of the records visible.
  std::shared_ptr<const void> memory = {};  ///< Keeps the views valid.
};

/// An offset to commit, with Kafka Streams' metadata (the partition's time).
struct OffsetAndMetadata {
  Offset offset = kNoOffset;
  std::string metadata;

  friend bool operator==(const OffsetAndMetadata&, const OffsetAndMetadata&) = default;
};

/// A member's place in its group; what fences the offsets of a member that lost its assignment.
struct GroupMetadata {
  std::string group = {};
  std::string member = {};  ///< Empty: not, or no longer, a member.
  std::int32_t generation = -1;
  std::string instance = {};  ///< Of a static member.
};

struct ConsumerEvent {
  enum class Kind : std::uint8_t {
    kAssigned,    ///< `partitions` of subscribed topics are ours: open their tasks.
    kRevoking,    ///< `partitions` move elsewhere: commit, then call release().
    kLost,        ///< `partitions` are no longer ours, and nothing of them may be committed.
    kCommitted,   ///< Answer of fetch_committed(); no entry: nothing committed.
    kEndOffsets,  ///< Answer of fetch_ends().
    kOutOfRange,  ///< `partitions[0]` does not hold, or not yet, the position; `error` says which.
    kFailed,      ///< An operation failed for good; `error` says which and why.
  };
  struct Range {
    Offset begin = 0;
    Offset end = 0;
    Offset since = kNoOffset;  ///< Where the time begins that was asked for.
  };
  Kind kind = Kind::kFailed;
  std::vector<TopicPartition> partitions = {};
  std::map<TopicPartition, OffsetAndMetadata> committed = {};
  std::map<TopicPartition, Range> ranges = {};
  Error error = {};
};

/// One reader, and one member of a group once it has subscribed.
class LogConsumer {
 public:
  virtual ~LogConsumer() = default;

  // --- Membership ---------------------------------------------------------------------------

  /// Joins the group, sharing the partitions of `topics` with the other members.
  virtual void subscribe(const std::vector<std::string>& topics) = 0;
  /// Gives up partitions named by kRevoking; only then do others get them.
  virtual void release(const std::vector<TopicPartition>& partitions) = 0;
  /// The group metadata as of now: read it anew for every commit. It may be newer than the events
  /// that poll() has given so far, never newer than those it would give now.
  virtual GroupMetadata group_metadata() const = 0;
  /// Leaves the group at once.
  virtual void leave() = 0;

  // --- Reading ------------------------------------------------------------------------------

  /// Reads the partition from `from` on; its batches carry `tag`. Replaces an earlier position.
  virtual void assign(const TopicPartition& partition, Offset from, std::uint32_t tag) = 0;
  virtual void unassign(const TopicPartition& partition) = 0;
  /// fetch() gives nothing of the partition until resume(). An assignment begins unpaused.
  virtual void pause(const TopicPartition& partition) = 0;
  virtual void resume(const TopicPartition& partition) = 0;
  /// Appends what is there now, about `max_records` in all, and returns whether anything was. Only
  /// committed records, in order, from the position on. A batch may hold no records: each assigned
  /// partition that is read to its end says so once, with `next == end`.
  virtual bool fetch(std::vector<RecordBatch>& into, std::size_t max_records) = 0;

  // --- Questions, answered by events --------------------------------------------------------

  /// The group's committed offsets: stable ones, with no commit of an earlier owner pending.
  virtual void fetch_committed(const std::vector<TopicPartition>& partitions) = 0;
  /// First offset and end (high watermark, past open transactions) of each partition; of those in
  /// `since` also the offset of the first record with that timestamp or a later one, the end if
  /// there is none.
  virtual void fetch_ends(const std::vector<TopicPartition>& partitions,
                          const std::map<TopicPartition, Timestamp>& since = {}) = 0;

  virtual bool poll(ConsumerEvent& event) = 0;
  /// Called from any thread when fetch() or poll() may have something new.
  virtual void set_wakeup(std::function<void()> wakeup) = 0;
};

struct ProducerEvent {
  enum class Kind : std::uint8_t {
    kReady,    ///< init() is done: earlier transactions of the same id are settled.
    kFlushed,  ///< Every record sent is delivered.
    kOffsetsSent,
    kCommitted,  ///< `commit` is the commit's place among all of the log.
    kAborted,
    kAbortRequired,   ///< The operation failed; the transaction can only be aborted.
    kFenced,          ///< A newer producer has the id, or the broker gave the transaction up.
    kOutcomeUnknown,  ///< Whether the commit happened cannot be told here.
    kFailed,          ///< Fatal: this producer is of no further use.
  };
  Kind kind = Kind::kFailed;
  CommitSequence commit = 0;
  Error error = {};
};

/// One writer; with a transactional id, of one transaction at a time.
///
/// Operations start at the call and end with one event each, in order: init, flush, send_offsets,
/// commit, abort. begin(), send() and push() are immediate.
class LogProducer {
 public:
  virtual ~LogProducer() = default;

  /// Makes the id ours: fences earlier producers, ends their transactions. Reports kReady.
  virtual void init() = 0;
  virtual void begin() = 0;
  virtual TopicHandle topic(std::string_view name) = 0;
  /// The topic's number of partitions. kNotFound when it does not exist; kUnavailable when that
  /// cannot be told now.
  virtual Result<std::int32_t> partitions(TopicHandle topic) = 0;
  /// Adds a record; the bytes are copied. An error means this record is not in the transaction.
  virtual Status send(TopicHandle topic, std::int32_t partition, std::optional<BytesView> key,
                      std::optional<BytesView> value, Timestamp timestamp, BytesView headers) = 0;
  /// A hint: nothing more is to come for now, so that what a client holds back, to send it together
  /// with more, had better go.
  virtual void push() {}
  virtual void flush() = 0;
  virtual void send_offsets(const std::map<TopicPartition, OffsetAndMetadata>& offsets,
                            const GroupMetadata& group) = 0;
  virtual void commit() = 0;
  virtual void abort() = 0;
  /// After kCommitted: the offset after the last record of that transaction in the partition;
  /// kNoOffset when it had none there, or the broker has not told where they are.
  virtual Offset delivered_end(TopicHandle topic, std::int32_t partition) const = 0;

  virtual bool poll(ProducerEvent& event) = 0;
  virtual void set_wakeup(std::function<void()> wakeup) = 0;
};

/// Tells when commits are safe from a crash. Thread-safe.
///
/// Records are visible to the next task at once; whatever leaves the process waits here first.
class Durability {
 public:
  virtual ~Durability() = default;
  /// The newest commit that no crash can take back.
  virtual CommitSequence durable() const = 0;
  /// The newest commit made visible.
  virtual CommitSequence visible() const = 0;
  /// Calls `done` once `commit` is durable: at once when it is, else from another thread.
  virtual void when_durable(CommitSequence commit, std::function<void()> done) = 0;
};

struct ConsumerOptions {
  std::string group = {};  ///< Empty: no member of any, manual assignment only.
  std::string client_id = {};
  bool read_committed = true;
  /// Makes it a static member: one that keeps its partitions while it restarts. Logs whose groups
  /// end with the process do without.
  std::string instance = {};
};

struct ProducerOptions {
  std::string transactional_id = {};  ///< Empty: each commit() is a plain, idempotent write.
  std::string client_id = {};
  std::chrono::milliseconds transaction_timeout{15'000};
};

/// A member of a group as others see it.
struct GroupMember {
  std::string client_id;
  std::vector<TopicPartition> partitions;  ///< Assigned to it, of topics it has subscribed to.
};

/// A log: makes clients, and answers questions about topics. Thread-safe. The calls of this class
/// may wait for an answer (start-up and tools call them, workers do not).
class Log {
 public:
  virtual ~Log() = default;
  virtual std::unique_ptr<LogConsumer> consumer(const ConsumerOptions& options) = 0;
  virtual std::unique_ptr<LogProducer> producer(const ProducerOptions& options) = 0;
  virtual Durability& durability() = 0;

  virtual std::string cluster_id() const = 0;
  virtual Result<std::vector<TopicSpec>> topics() const = 0;
  /// kNotFound when there is none.
  virtual Result<TopicSpec> topic(const std::string& name) const = 0;
  /// kAlreadyExists when there is one, even of other settings.
  virtual Status create_topic(const TopicSpec& spec) = 0;
  virtual Status delete_topic(const std::string& name) = 0;
  /// Lets go of records before `before`: they are processed (repartition topics).
  virtual void delete_records(const TopicPartition& partition, Offset before) = 0;
  virtual Result<ConsumerEvent::Range> range(const TopicPartition& partition) const = 0;
  virtual std::map<TopicPartition, OffsetAndMetadata> committed(const std::string& group) const = 0;
  /// Who is in the group, in whatever process. A log that one process has to itself tells nothing:
  /// that process knows.
  virtual Result<std::vector<GroupMember>> members(const std::string& group) const {
    static_cast<void>(group);
    return std::vector<GroupMember>{};
  }
};

}  // namespace thalweg
