#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <thalweg/schemas/record.h>
#include <thalweg/schemas/schema.h>
#include <thalweg/state/storage.h>

namespace thalweg {

/// Counts the commits a log has made visible, in order. 0: none.
using CommitSequence = std::uint64_t;

/// A read that the disk refused, thrown by the typed calls of a store; the message names the store.
/// kCorrupt: discard() the store and restore it. Anything else is for the operator.
class StoreError : public std::runtime_error {
 public:
  explicit StoreError(const Error& error) : std::runtime_error(error.message), code_(error.code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

/// Where a store sends its changes, in the order they are to be replayed. The task appends each to
/// the store's changelog partition, in the open transaction.
class ChangelogWriter {
 public:
  virtual ~ChangelogWriter() = default;
  /// A null value deletes the key. The views need to live only during the call. A record may be
  /// without a timestamp (kNoTimestamp).
  virtual void append(BytesView key, std::optional<BytesView> value, Timestamp timestamp,
                      const Headers& headers) = 0;
};

/// The memory all stores of a process share for levels 1 and 2, in estimated bytes. Thread-safe.
///
/// Values that are only kept to be read again (the cached part) may take half of it; stores give
/// them up first. The rest is what waits for a commit or a spill.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t limit) : limit_(limit) {}
  void add(std::int64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  /// Counts bytes that add() counted as cached, too.
  void add_cached(std::int64_t bytes) { cached_.fetch_add(bytes, std::memory_order_relaxed); }
  std::size_t limit() const { return limit_; }
  std::size_t used() const { return positive(used_); }
  std::size_t cached() const { return positive(cached_); }
  bool cache_is_full() const { return cached() > limit_ / 2; }

 private:
  static std::size_t positive(const std::atomic<std::int64_t>& counter) {
    const auto value = counter.load(std::memory_order_relaxed);
    return value < 0 ? 0 : static_cast<std::size_t>(value);
  }

  std::size_t limit_;
  std::atomic<std::int64_t> used_ = 0;
  std::atomic<std::int64_t> cached_ = 0;
};

/// What a task gives a store when it opens it.
struct StoreContext {
  /// Null for an in-memory store: then levels 1 and 2 are all there is.
  Storage* storage = nullptr;
  std::string family;                    ///< `<application.id>/<task>/<store>`.
  ChangelogWriter* changelog = nullptr;  ///< Null: logging is off.
  /// What a stored checkpoint must match to be believed (its offset and time aside).
  Checkpoint identity = {};
  MemoryBudget* budget = nullptr;
  bool caching = false;  ///< The application has a record cache (`statestore.cache.max.bytes` > 0).
  /// As long as a cached store of windows has all its entries in memory and they take less than
  /// this, it goes on showing those that have expired: Kafka Streams' record cache does.
  std::size_t cache_bytes = 0;
  /// The timestamp and headers of the record being processed; what put() without a time stores.
  std::function<Timestamp()> record_time = {};
  /// The record being processed. A store with caching sets it, while it flushes an entry, to the
  /// record that wrote the entry; topic names must live until then.
  RecordMetadata* record = nullptr;
  /// Set, from any thread, when what the disk holds turns out to be damaged. Null: nobody asks.
  std::shared_ptr<std::atomic<bool>> damaged = {};
  /// Told of each write that comes too late for a store of windows: `dropped-records`.
  std::function<void()> on_late = {};
  /// Told, in a sentence for the operator, when what the disk held was not believed and dropped.
  std::function<void(const std::string& message)> on_discard = {};
};

/// One entry as queries see it.
struct StoredEntry {
  std::string key;
  std::string value;
  Timestamp timestamp = kNoTimestamp;
};

/// Committed entries of one store of one task, for any thread: interactive queries, HTTP, tools.
///
/// Never shows a write of an open or aborted transaction. Every answer comes from one moment; a
/// scan is a series of such answers, each with at most `limit` entries.
class StoreView {
 public:
  struct Scan {
    std::optional<std::string> from = {};  ///< Inclusive.
    std::optional<std::string> to = {};    ///< Exclusive.
    bool reverse = false;
    std::size_t limit = 100;
    /// Of a store of windows: only rows are wanted whose keys are the first so many bytes of `from`
    /// and times. `to` begins with the same bytes, and `from` keeps them from page to page. Such a
    /// scan is cheaper, and may leave out or show what else lies in the range, as a view that does
    /// not know of groups does. 0: all in the range are wanted.
    std::size_t group = 0;
  };

  virtual ~StoreView() = default;
  virtual Result<std::optional<StoredEntry>> get(BytesView key) const = 0;
  virtual Result<std::vector<StoredEntry>> scan(const Scan& scan) const = 0;
  virtual std::uint64_t approximate_entries() const = 0;
  /// The last commit whose writes the view can show. An answer that leaves the process waits until
  /// the log has made that commit durable.
  virtual CommitSequence last_commit() const = 0;
  /// Of a store of windows: those that start (sessions: end) before this have expired, and readers
  /// pass them over although their rows are still there. Asked after the rows themselves.
  virtual Timestamp first_readable() const { return kNoTimestamp; }
};

/// A piece of work that moves a store's committed writes to disk. run() blocks and belongs to the
/// spilling thread; the store goes on meanwhile, in its own.
class Spill {
 public:
  virtual ~Spill() = default;
  /// The commit that must be durable before run() is called: disk is never ahead of the log.
  virtual CommitSequence needs_durable() const = 0;
  /// Writes the frozen entries and the checkpoint. On an error the entries stay in memory and the
  /// next spill takes them along.
  virtual Status run() = 0;
};

/// A store as its task sees it: typed stores add get and put on top.
///
/// Writes pass three levels: the open transaction, committed writes in memory, disk. Nothing
/// uncommitted ever reaches the second level, so an abort only forgets, and nothing reaches the
/// disk that its changelog does not already hold durably. All calls come from the task's thread,
/// but for view() and what it returns.
class StateStore {
 public:
  enum class Kind : std::uint8_t { kKeyValue, kWindow, kSession, kVersioned, kBuffer };

  virtual ~StateStore() = default;
  virtual const std::string& name() const = 0;
  virtual Kind kind() const = 0;
  virtual SchemaPtr key_schema() const = 0;
  virtual SchemaPtr value_schema() const = 0;
  /// False when open() was given no disk to use: then every start restores the whole changelog.
  virtual bool persistent() const = 0;

  virtual Status open(const StoreContext& context) = 0;

  // --- The open transaction -----------------------------------------------------------------

  /// Hands every entry written since the last flush to its listener and to the changelog, in order
  /// of last write. A store without caching has done so at each write; then this does nothing.
  /// Returns whether there was anything: a listener may have written to another store.
  virtual bool flush() = 0;
  /// The transaction is committed: its writes become visible to views and may be spilled. They
  /// reach the changelog up to `changelog_end` (exclusive; kNoOffset when the changelog did not
  /// grow).
  virtual void commit(Offset changelog_end, CommitSequence commit) = 0;
  /// Forgets every write since the last commit().
  virtual void abort() = 0;
  /// An estimate of what the open transaction holds in memory.
  virtual std::size_t uncommitted_bytes() const = 0;

  // --- Restore ------------------------------------------------------------------------------

  /// The changelog offset to restore from: what the disk or an earlier commit already holds; 0 for
  /// everything.
  virtual Offset restored_to() const = 0;
  /// Applies changelog records, as committed; `next` is the position after them, past control
  /// records.
  virtual void restore(std::span<const RecordView> records, Offset next, CommitSequence commit) = 0;
  /// Throws away all entries, on disk too, and starts again from offset 0: the stored checkpoint is
  /// outside the changelog's range or not this changelog's.
  virtual Status discard() = 0;

  // --- Disk ---------------------------------------------------------------------------------

  /// Estimated bytes of committed writes that a spill would free; 0 for an in-memory store.
  virtual std::size_t unspilled_bytes() const = 0;
  /// Freezes the committed writes for a spill; null when there is nothing to do, none is possible
  /// (in memory), or one is under way. The store may go first: a spill that has not begun to write
  /// then answers kUnavailable, and closing waits for one that has.
  virtual std::shared_ptr<Spill> start_spill(Timestamp wall_time) = 0;

  // --- Queries ------------------------------------------------------------------------------

  /// The committed entries. The view may be used after the store is closed; it then answers
  /// kUnavailable.
  virtual std::shared_ptr<const StoreView> view() const = 0;
};

/// Makes the store of each task: what a topology holds for a store's name.
class StoreBuilder {
 public:
  virtual ~StoreBuilder() = default;
  virtual const std::string& name() const = 0;
  virtual bool logging() const = 0;
  virtual bool caching() const = 0;
  /// Settings of the changelog topic that differ from the defaults (`cleanup.policy`, ...).
  virtual const std::vector<std::pair<std::string, std::string>>& changelog_config() const = 0;
  /// How long a row lives that nobody writes; empty: for ever.
  virtual std::optional<std::chrono::milliseconds> time_to_live() const { return std::nullopt; }
  virtual std::unique_ptr<StateStore> build() const = 0;
};

}  // namespace thalweg
