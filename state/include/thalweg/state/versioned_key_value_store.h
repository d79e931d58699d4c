#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include <thalweg/schemas/record.h>
#include <thalweg/state/state_store.h>

namespace thalweg {

/// A value of a versioned store, with the time from which and up to which it holds. The value lives
/// until the next call on its store.
template <typename V>
struct VersionedRecord {
  const V* value = nullptr;  ///< Null: there is none.
  Timestamp timestamp = kNoTimestamp;
  std::optional<Timestamp> valid_to = {};  ///< Exclusive; none: still, as far as is known.

  explicit operator bool() const { return value != nullptr; }
};

/// What became of a write to a versioned store.
struct VersionedPut {
  bool is_put = false;  ///< False: too late, older than the history that is kept.
  std::optional<Timestamp> valid_to = {};  ///< None: nothing newer is known.

  bool is_latest() const { return is_put && !valid_to; }
};

/// A task's table of keys and values that remembers what each key's value was, back to the history
/// retention: Kafka Streams' versioned store (KIP-889), with its rules and its changelog.
///
/// Time is the highest timestamp written so far. A write may come late, and then goes between what
/// is known already; one that is older than the history retention is refused and counted as a
/// dropped record. What can no longer be asked for is forgotten a segment at a time.
template <typename K, typename V>
class VersionedKeyValueStore : public StateStore {
 public:
  /// From `timestamp` on the key has `value`, or none if it is null, until the next version known.
  /// The changelog gets a record in any case.
  virtual VersionedPut put(const K& key, std::optional<V> value, Timestamp timestamp) = 0;
  /// The same with null, and returns what the key had at that time.
  virtual std::optional<V> remove(const K& key, Timestamp timestamp) = 0;

  /// The latest value.
  virtual VersionedRecord<V> get(const K& key) = 0;
  /// The value as of `as_of`: none if that is longer ago than the history retention, unless the
  /// latest value is older still.
  virtual VersionedRecord<V> get(const K& key, Timestamp as_of) = 0;
  /// Every version that is kept, oldest first, without the times when there was none.
  virtual std::vector<VersionedRecord<V>> versions(const K& key) = 0;

  virtual std::chrono::milliseconds history_retention() const = 0;
};

}  // namespace thalweg
