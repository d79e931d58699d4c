#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <thalweg/state/internal/segmented_store.h>
#include <thalweg/state/session_store.h>

namespace thalweg::internal {

/// The session store.
template <typename K, typename V>
class TypedSessionStore final : public SegmentedStore<SessionStore<K, V>, K, V> {
 public:
  using Base = SegmentedStore<SessionStore<K, V>, K, V>;
  using typename Base::Entry;
  using typename Base::Iterator;

  TypedSessionStore(std::string name, bool persistent, bool caching, const AnySerde<K>& key_serde,
                    AnySerde<V> value_serde, Segments segments)
      : Base(std::move(name), persistent, caching, key_serde, std::move(value_serde), segments, 0,
             true) {}

  StateStore::Kind kind() const override { return StateStore::Kind::kSession; }

  const V* fetch_session(const K& key, Timestamp start, Timestamp end) override {
    at_.windowed.key = key;
    at_.windowed.window = {start, end};
    const Entry* entry = this->find(at_, end);
    return entry ? &entry->value : nullptr;
  }

  void put(const Windowed<K>& session, V value) override {
    put(session, std::move(value), this->now(), kNoHeaders);
  }
  void put(const Windowed<K>& session, V value, Timestamp timestamp,
           const Headers& headers) override {
    this->write(at(session), session.window.end, std::move(value), timestamp, headers);
  }
  void remove(const Windowed<K>& session) override { remove(session, this->now(), kNoHeaders); }
  void remove(const Windowed<K>& session, Timestamp timestamp, const Headers& headers) override {
    this->erase(at(session), session.window.end, timestamp, headers);
  }

  /// What an aggregation writes that came to nothing: a removal whose time counts, but in the cache
  /// of a table, which lets go what replaces nothing.
  void put_null(const Windowed<K>& session, Timestamp timestamp, const Headers& headers) {
    if (!this->lets_removals_go()) this->observe(at(session), session.window.end);
    remove(session, timestamp, headers);
  }

  std::unique_ptr<Iterator> find_sessions(const K& key, Timestamp earliest_end,
                                          Timestamp latest_start, bool reverse) override {
    return this->scan(scan_of(earliest_end, latest_start, reverse), &key, &key);
  }
  std::unique_ptr<Iterator> find_sessions(const std::optional<K>& first,
                                          const std::optional<K>& last, Timestamp earliest_end,
                                          Timestamp latest_start, bool reverse) override {
    return this->scan(scan_of(earliest_end, latest_start, reverse), first ? &*first : nullptr,
                      last ? &*last : nullptr);
  }
  std::unique_ptr<Iterator> find_sessions(Timestamp earliest_end, Timestamp latest_end) override {
    WindowScan scan = scan_of(earliest_end, kEndOfTime, false);
    scan.to = to_millis(latest_end);
    if (!in_memory()) scan.order = WindowScan::Order::kByTimeAndStart;
    return this->scan(std::move(scan), nullptr, nullptr, true);
  }
  std::unique_ptr<Iterator> fetch(const K& key, bool reverse) override {
    return find_sessions(key, from_millis(0), kEndOfTime, reverse);
  }
  std::unique_ptr<Iterator> fetch(const std::optional<K>& first, const std::optional<K>& last,
                                  bool reverse) override {
    return find_sessions(first, last, from_millis(0), kEndOfTime, reverse);
  }

 private:
  using typename Base::Stored;

  bool in_memory() const { return this->segments_.exact_expiry; }
  WindowScan scan_of(Timestamp earliest_end, Timestamp latest_start, bool reverse) const {
    WindowScan scan;
    scan.from = to_millis(earliest_end);
    scan.to = to_millis(kEndOfTime);
    scan.latest_start = to_millis(latest_start);
    scan.reverse = reverse;
    scan.order = in_memory() ? WindowScan::Order::kByTime : WindowScan::Order::kAsStored;
    return scan;
  }
  /// The key of an entry, in memory that is used again.
  const Stored& at(const Windowed<K>& session) {
    at_.windowed = session;
    return at_;
  }

  Stored at_{};
};

}  // namespace thalweg::internal
