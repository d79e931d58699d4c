#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/schemas/record.h>
#include <thalweg/state/state_store.h>

namespace thalweg {

template <typename V>
struct ValueAndTimestamp {
  V value;
  Timestamp timestamp = kNoTimestamp;

  friend bool operator==(const ValueAndTimestamp&, const ValueAndTimestamp&) = default;
};

/// A walk over a store's entries in the order of their serialised keys. Sees the open transaction.
///
/// The store may be written meanwhile: next() goes on behind the key it stood at, value() is not to
/// be used before that. What is written further on is visited too, where Kafka Streams shows what
/// there was at the beginning: do not put keys ahead of the walk without end.
template <typename K, typename V>
class KeyValueIterator {
 public:
  virtual ~KeyValueIterator() = default;
  virtual bool valid() const = 0;
  virtual void next() = 0;
  virtual const K& key() const = 0;
  virtual const ValueAndTimestamp<V>& value() const = 0;
};

/// A store as whoever knows only its keys sees it.
template <typename K>
class KeyedStore {
 public:
  virtual ~KeyedStore() = default;
  /// A hint: these keys are likely to be looked up next, so what the store has of them can be on
  /// its way to the processor's cache. Neither has any of them to be there, nor to be looked up.
  virtual void expect(std::span<const K>) {}
};

/// A task's table of keys and values: the latest value of each key, with its timestamp.
///
/// Reads see the open transaction. References and pointers returned stay valid until the next call
/// on the same store, whatever it is. K and V are plain types: a deleted key has no value.
template <typename K, typename V>
class KeyValueStore : public StateStore, public KeyedStore<K> {
 public:
  using Entry = ValueAndTimestamp<V>;
  /// Told of a change: the key, the new and the old value (null: none), when it happened and the
  /// headers of the record that caused it.
  using Listener = std::function<void(const K& key, const V* new_value, const V* old_value,
                                      Timestamp timestamp, const Headers& headers)>;

  /// The value of `key`, or null.
  virtual const V* get(const K& key) = 0;
  /// The value of `key` with its timestamp, or null.
  virtual const Entry* get_with_timestamp(const K& key) = 0;

  /// Stores `value` under the timestamp of the record being processed.
  virtual void put(const K& key, V value) = 0;
  virtual void put(const K& key, V value, Timestamp timestamp, const Headers& headers) = 0;
  virtual void remove(const K& key) = 0;
  virtual void remove(const K& key, Timestamp timestamp, const Headers& headers) = 0;

  /// Stores `value` if `key` has none. Returns the value that it has already, or null.
  const V* put_if_absent(const K& key, V value) {
    const V* stored = get(key);
    if (!stored) put(key, std::move(value));
    return stored;
  }
  void put_all(std::vector<std::pair<K, V>> entries) {
    for (auto& [key, value] : entries) put(key, std::move(value));
  }

  /// Entries with from <= key <= to, by serialised bytes; an absent bound is open.
  virtual std::unique_ptr<KeyValueIterator<K, V>> range(const std::optional<K>& from,
                                                        const std::optional<K>& to,
                                                        bool reverse = false) = 0;
  /// Entries whose serialised key starts with `prefix`.
  virtual std::unique_ptr<KeyValueIterator<K, V>> prefix_scan(BytesView prefix) = 0;
  std::unique_ptr<KeyValueIterator<K, V>> all(bool reverse = false) {
    return range(std::nullopt, std::nullopt, reverse);
  }
  /// About how many entries are committed.
  std::uint64_t approximate_num_entries() const { return this->view()->approximate_entries(); }

  /// With caching, changes reach `listener` at flush, one per key, in order of last write (the
  /// record cache of Kafka Streams); without, each one at once. `old_values`: whether the listener
  /// needs them.
  virtual void set_listener(Listener listener, bool old_values) = 0;
  /// Whether changes are held back until flush: the builder asked for caching and the application
  /// has a cache.
  virtual bool cached() const = 0;
};

}  // namespace thalweg
