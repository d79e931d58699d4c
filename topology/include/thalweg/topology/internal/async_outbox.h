#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <thalweg/schemas/bytes.h>
#include <thalweg/schemas/serde.h>
#include <thalweg/state/key_value_store.h>
#include <thalweg/topology/async_options.h>

namespace thalweg::internal {

/// A record that waits for a call to the outside, or for its answer.
struct AsyncRow {
  std::int32_t attempt = 0;  ///< The attempt that is under way, or that failed last; 0: none yet.
  bool under_way = false;
  Timestamp due = kNoTimestamp;  ///< When the next attempt may begin.
  Timestamp timestamp = kNoTimestamp;
  std::optional<std::string> key = {};
  std::optional<std::string> value = {};
  std::string headers = {};  ///< As Headers::encode() writes them.

  void encode(std::string& out) const;
  /// Throws SerdeError for what encode() did not write.
  static AsyncRow decode(BytesView bytes);
};

/// The records that wait, in a store, and which of them may be called for: at most so many at a
/// time, those of one key one after the other, each when it is due.
///
/// The store has a row for each record under its number, which no other record ever gets, and the
/// next number. Everything else is an index in memory, made from the rows when the task starts.
/// Knows no types and makes no calls.
class AsyncOutbox {
 public:
  using Store = KeyValueStore<std::int64_t, Bytes>;
  static std::shared_ptr<StoreBuilder> store_builder(const std::string& name);

  explicit AsyncOutbox(AsyncOptions options) : options_(std::move(options)) {}

  /// Reads what an earlier run has left: attempts that were under way are begun again.
  void open(Store& store);

  /// Adds a record behind those that wait.
  void add(AsyncRow row, Timestamp now);

  struct Begun {
    std::int64_t number;
    AsyncRow row;
    bool again;  ///< The attempt was under way when an earlier run ended.
  };
  /// Takes the next record whose turn it is, and writes down that its next attempt is under way.
  std::optional<Begun> begin_next(Timestamp now);
  void committed(CommitSequence commit);
  bool has_calls_to_start() const { return calls_to_start_ > 0; }
  struct Start {
    std::int64_t number;
    AsyncRow row;
    std::stop_token stop_token;
  };
  /// What may be called for now. Each has until now + timeout.
  std::vector<Start> start_calls(CommitSequence durable, Timestamp now);
  /// Whether an answer to that attempt is still waited for.
  bool waits_for(std::int64_t number, std::int32_t attempt) const;
  /// Attempts whose time is over, at `now`.
  std::vector<std::int64_t> overdue(Timestamp now) const;

  /// The row of an attempt under way.
  AsyncRow row(std::int64_t number);
  /// The attempt is over for good: forgets the record.
  void finish(std::int64_t number, Timestamp now);
  /// The attempt has failed. Returns when the next one is due; nothing: there is none left, and the
  /// record is forgotten.
  std::optional<Timestamp> fail(std::int64_t number, AsyncRow row, Timestamp now);

  /// When an attempt's time is over or, if asked, a record's turn comes.
  std::optional<Timestamp> next_deadline(bool begin_more) const;
  std::size_t in_flight() const { return flights_.size() - calls_to_start_; }
  /// Tells all calls that nobody waits for them any more.
  void abandon();

 private:
  struct Flight {
    std::int32_t attempt;
    std::string lane;
    std::optional<CommitSequence> commit = {};  // That says it is under way; none yet: open.
    bool started = false;
    Timestamp deadline = kNoTimestamp;
    std::stop_source stop = {};
  };
  struct Waiting {
    std::int64_t number;
    Timestamp due;
  };

  void write(std::int64_t number, const AsyncRow& row);
  void enqueue(std::int64_t number, std::string lane, Timestamp due);
  void leave_lane(std::int64_t number);
  std::chrono::milliseconds pause_after(std::int64_t number, std::int32_t attempt) const;

  AsyncOptions options_;
  Store* store_ = nullptr;
  std::int64_t next_number_ = 0;
  // Records of one key, or one without a key. The first one is in ready_ or in flights_.
  std::unordered_map<std::string, std::deque<Waiting>> lanes_;
  std::map<std::pair<Timestamp, std::int64_t>, std::string> ready_;  // By due time; the lane.
  std::map<std::int64_t, Flight> flights_;
  std::size_t calls_to_start_ = 0;
};

}  // namespace thalweg::internal
