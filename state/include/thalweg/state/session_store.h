#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include <thalweg/state/window_store.h>

namespace thalweg {

/// A task's table of keys and sessions, each with its first and last record's time, as long as the
/// store's retention lasts. Time is the store's own: the latest end of a session that was ever put
/// or removed; WindowStore tells what follows from it. Walks go by a session's end.
///
/// Reads see the open transaction. References and pointers returned stay valid until the next call
/// on the same store.
template <typename K, typename V>
class SessionStore : public StateStore {
 public:
  using Entry = ValueAndTimestamp<V>;
  using Iterator = WindowedIterator<K, V>;
  using Listener = typename WindowStore<K, V>::Listener;

  virtual std::chrono::milliseconds retention() const = 0;
  /// The latest session end put so far; kNoTimestamp before the first.
  virtual Timestamp stream_time() const = 0;

  // --- One session --------------------------------------------------------------------------

  /// The value of the session of `key` with exactly these times, or null.
  virtual const V* fetch_session(const K& key, Timestamp start, Timestamp end) = 0;

  /// Stores `value` under the timestamp of the record being processed.
  virtual void put(const Windowed<K>& session, V value) = 0;
  virtual void put(const Windowed<K>& session, V value, Timestamp timestamp,
                   const Headers& headers) = 0;
  virtual void remove(const Windowed<K>& session) = 0;
  virtual void remove(const Windowed<K>& session, Timestamp timestamp, const Headers& headers) = 0;

  // --- Walks --------------------------------------------------------------------------------
  // A persistent store shows sessions segment by segment, in a segment by key, end and start; an
  // in-memory one by end, key and start, the latest start first.

  /// The sessions of `key` that end at `earliest_end` or later and start at `latest_start` or
  /// earlier.
  virtual std::unique_ptr<Iterator> find_sessions(const K& key, Timestamp earliest_end,
                                                  Timestamp latest_start, bool reverse = false) = 0;
  /// Those of the keys within [first, last] by serialised bytes; an absent bound is open.
  virtual std::unique_ptr<Iterator> find_sessions(const std::optional<K>& first,
                                                  const std::optional<K>& last,
                                                  Timestamp earliest_end, Timestamp latest_start,
                                                  bool reverse = false) = 0;
  /// The sessions of all keys that end within [earliest_end, latest_end], by end, start and key (in
  /// memory: end, key and start).
  virtual std::unique_ptr<Iterator> find_sessions(Timestamp earliest_end, Timestamp latest_end) = 0;
  /// All sessions of `key`.
  virtual std::unique_ptr<Iterator> fetch(const K& key, bool reverse = false) = 0;
  virtual std::unique_ptr<Iterator> fetch(const std::optional<K>& first,
                                          const std::optional<K>& last, bool reverse = false) = 0;
  /// A literal would be taken for `reverse`.
  void fetch(const K& first, const char* last, bool reverse = false) = delete;

  // --- Changes ------------------------------------------------------------------------------

  /// See KeyValueStore::set_listener().
  virtual void set_listener(Listener listener, bool old_values) = 0;
  virtual bool cached() const = 0;
};

}  // namespace thalweg
