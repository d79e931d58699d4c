#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include <thalweg/state/key_value_store.h>
#include <thalweg/state/windowed.h>

namespace thalweg {

/// A walk over windowed entries; key().window tells each one's time. Sees the open transaction, and
/// goes on behind the entry it stood at when the store is written to.
template <typename K, typename V>
using WindowedIterator = KeyValueIterator<Windowed<K>, V>;

/// A task's table of keys and windows: the latest value of each key in each window, as long as the
/// store's retention lasts.
///
/// Time is the store's own: the latest window start that was ever put, restored with the entries.
/// What starts `retention` or longer before that can no longer be read, and what comes too late to
/// be kept is logged, counted (`dropped-records`) and forgotten. Expired entries leave memory and
/// disk by whole segments of `segment_interval`.
///
/// A store that retains duplicates keeps every value put, not the latest only: the buffers of
/// stream-stream joins. In it a deletion does nothing.
///
/// Reads see the open transaction. References and pointers returned stay valid until the next call
/// on the same store. Bounds of time are inclusive, on both sides.
template <typename K, typename V>
class WindowStore : public StateStore {
 public:
  using Entry = ValueAndTimestamp<V>;
  using Iterator = WindowedIterator<K, V>;
  /// Told of a change, as KeyValueStore::Listener.
  using Listener =
      std::function<void(const Windowed<K>& key, const V* new_value, const V* old_value,
                         Timestamp timestamp, const Headers& headers)>;

  virtual std::chrono::milliseconds window_size() const = 0;
  virtual std::chrono::milliseconds retention() const = 0;
  /// The latest window start put so far; kNoTimestamp before the first.
  virtual Timestamp stream_time() const = 0;

  // --- One window ---------------------------------------------------------------------------

  /// The value of `key` in the window that starts at `window_start`, or null.
  virtual const V* fetch(const K& key, Timestamp window_start) = 0;
  virtual const Entry* fetch_with_timestamp(const K& key, Timestamp window_start) = 0;

  /// Stores `value` under the timestamp of the record being processed.
  virtual void put(const K& key, V value, Timestamp window_start) = 0;
  virtual void put(const K& key, V value, Timestamp window_start, Timestamp timestamp,
                   const Headers& headers) = 0;
  virtual void remove(const K& key, Timestamp window_start) = 0;
  virtual void remove(const K& key, Timestamp window_start, Timestamp timestamp,
                      const Headers& headers) = 0;

  // --- Walks --------------------------------------------------------------------------------
  // A persistent store shows its entries segment by segment, in a segment by key and then by time;
  // an in-memory one, and one made for time order, by time and then by key.

  /// The windows of `key` that start within [from, to], by time.
  virtual std::unique_ptr<Iterator> fetch(const K& key, Timestamp from, Timestamp to,
                                          bool reverse = false) = 0;
  /// Those of the keys within [first, last] by serialised bytes; an absent bound is open.
  virtual std::unique_ptr<Iterator> fetch(const std::optional<K>& first,
                                          const std::optional<K>& last, Timestamp from,
                                          Timestamp to, bool reverse = false) = 0;
  /// Those of all keys that start within [from, to].
  virtual std::unique_ptr<Iterator> fetch_all(Timestamp from, Timestamp to,
                                              bool reverse = false) = 0;
  virtual std::unique_ptr<Iterator> all(bool reverse = false) = 0;

  // --- Changes ------------------------------------------------------------------------------

  /// See KeyValueStore::set_listener().
  virtual void set_listener(Listener listener, bool old_values) = 0;
  virtual bool cached() const = 0;
};

}  // namespace thalweg
