#pragma once

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <thalweg/schemas/check.h>
#include <thalweg/schemas/serde.h>
#include <thalweg/state/internal/entry_table.h>
#include <thalweg/state/internal/layered_table.h>
#include <thalweg/state/internal/memory_meter.h>
#include <thalweg/state/internal/overlay.h>
#include <thalweg/state/internal/record_origins.h>
#include <thalweg/state/internal/spare_values.h>
#include <thalweg/state/internal/stored_read.h>
#include <thalweg/state/internal/typed_iterator.h>
#include <thalweg/state/internal/write_log.h>
#include <thalweg/state/key_value_store.h>

namespace thalweg::internal {

/// The key-value store: level 1, typed values, above a LayeredTable.
///
/// An entry joins the open transaction with its first write and leaves it with commit() (clean,
/// kept to be read again) or abort() (forgotten). Its bytes are made once, at flush or, without
/// caching, at the write; the changelog and the committed table get the same ones. Stores of
/// windows are made of it: with `segments`, keys have a prefix that the changelog does not see.
template <typename K, typename V>
class TypedKeyValueStore final : public KeyValueStore<K, V> {
 public:
  using Base = KeyValueStore<K, V>;
  using typename Base::Entry;
  using typename Base::Listener;

  TypedKeyValueStore(std::string name, bool persistent, bool caching, AnySerde<K> key_serde,
                     AnySerde<V> value_serde, std::optional<Segments> segments = {},
                     bool keeps_committed = true)
      : name_(std::move(name)),
        wants_disk_(persistent),
        wants_caching_(caching),
        segments_(segments),
        hidden_(segments ? Segments::kPrefixSize : 0),
        keeps_committed_(keeps_committed),
        key_serde_(std::move(key_serde)),
        value_serde_(std::move(value_serde)) {}
  ~TypedKeyValueStore() override {
    if (table_) table_->close();
    forget_everything();
  }

  const std::string& name() const override { return name_; }
  StateStore::Kind kind() const override { return StateStore::Kind::kKeyValue; }
  SchemaPtr key_schema() const override { return key_serde_.schema(); }
  SchemaPtr value_schema() const override { return value_serde_.schema(); }
  bool persistent() const override { return table_ && table_->persistent(); }
  bool cached() const override { return is_cached_; }

  Status open(const StoreContext& context) override {
    StoreContext adjusted = context;
    if (!wants_disk_) adjusted.storage = nullptr;
    adjusted.caching = is_cached_ = wants_caching_ && context.caching;
    auto table = LayeredTable::open(adjusted, segments_);
    if (!table) return std::unexpected(table.error());
    table_ = std::move(*table);
    take_marks();
    changelog_ = context.changelog;
    memory_.report_to(context.budget);
    record_time_ = context.record_time;
    origins_.follow(context.record);
    return {};
  }

  void set_listener(Listener listener, bool old_values) override {
    listener_ = std::move(listener);
    old_values_ = listener_ && old_values;
  }

  // --- Reads --------------------------------------------------------------------------------

  const V* get(const K& key) override {
    const Entry* entry = get_with_timestamp(key);
    return entry ? &entry->value : nullptr;
  }
  const Entry* get_with_timestamp(const K& key) override {
    Number number = entries_.find(key);
    if (number == kNone) number = load(key);
    Cell& cell = entries_[number];
    cell.is_referenced = true;
    return cell.has_value ? &cell.current : nullptr;
  }
  void expect(std::span<const K> keys) override { entries_.expect(keys); }

  std::unique_ptr<KeyValueIterator<K, V>> range(const std::optional<K>& from,
                                                const std::optional<K>& to, bool reverse) override {
    StoreView::Scan scan{.reverse = reverse};
    if (from) key_serde_.serialize(*from, scan.from.emplace());
    if (to) key_serde_.serialize(*to, scan.to.emplace());
    if (to) scan.to->push_back('\0');  // The scan leaves its end out.
    return std::make_unique<TypedIterator<K, V>>(*this, std::move(scan));
  }
  std::unique_ptr<KeyValueIterator<K, V>> prefix_scan(BytesView prefix) override {
    StoreView::Scan scan;
    scan.from.emplace(prefix);
    scan.to = end_of_prefix(prefix);
    return std::make_unique<TypedIterator<K, V>>(*this, std::move(scan));
  }

  // --- Writes -------------------------------------------------------------------------------

  void put(const K& key, V value) override { put(key, std::move(value), now(), kNoHeaders); }
  void put(const K& key, V value, Timestamp timestamp, const Headers& headers) override {
    set(open_for_write(key), std::move(value), true, timestamp, headers);
  }
  void remove(const K& key) override { remove(key, now(), kNoHeaders); }
  void remove(const K& key, Timestamp timestamp, const Headers& headers) override {
    set(open_for_write(key), V{}, false, timestamp, headers);
  }

  /// Lets `change` change the value of `key` where it lies, V{} if there is none: for values of
  /// which a write changes little. Only of a store without a listener.
  template <typename Change>
  void modify(const K& key, Timestamp timestamp, Change change) {
    if (entries_.find(key) == kNone) load(key);
    const Number number = open_for_write(key);
    V value = std::move(entries_[number].current.value);
    change(value);
    set(number, std::move(value), true, timestamp, kNoHeaders);
  }

  /// Logs a write and tells the listener without keeping it: it comes too late for the store.
  void pass_through(K key, const V* value, Timestamp timestamp, const Headers& headers) {
    if (changelog_) {
      std::optional<BytesView> bytes;
      scratch_value_.clear();
      if (value) value_serde_.serialize(*value, scratch_value_), bytes = scratch_value_;
      changelog_->append(bytes_of(key).substr(hidden_), bytes, timestamp, kNoHeaders);
    }
    if (listener_) listener_(key, value, nullptr, timestamp, headers);
  }

  /// Forgets committed values that are kept only to be read again.
  void forget_clean(const std::function<bool(const K&)>& unwanted) {
    for (Number number = 0; number < entries_.capacity(); ++number) {
      Cell& cell = entries_[number];
      if (cell.state != State::kClean || !unwanted(cell.key)) continue;
      memory_.remove_clean(cell.charge);
      drop(number);
    }
    memory_.report();
  }

  /// Of the open transaction: a store of windows keeps them up.
  StoreMarks& marks() { return marks_; }
  const StoreMarks& marks() const { return marks_; }
  std::int64_t first_segment() const { return table_->first_segment(); }
  const AnySerde<K>& key_serde() const { return key_serde_; }

  // --- The open transaction -----------------------------------------------------------------

  bool flush() override {
    if (dirty_.empty()) return false;
    const RecordOrigins::Scope scope(origins_);
    while (!dirty_.empty()) flush_entry(dirty_.first());  // Listeners may add to it.
    return true;
  }

  void commit(Offset changelog_end, CommitSequence commit) override {
    THALWEG_CHECK(dirty_.empty(), "store " + name_ + " committed without flush");
    table_->commit(log_.live(), marks_, changelog_end, commit);
    for (const Number number : members_) {
      Cell& cell = entries_[number];
      if (cell.state == State::kOrphan || !keeps_committed_) {
        drop(number);
        continue;
      }
      cell.state = State::kClean;
      cell.before = Before::kUnknown;
      spares_.keep(std::move(cell.before_value));
      cell.headers.reset();
      cell.write = WriteLog::kNone;
      memory_.add_clean(cell.charge);
    }
    const std::size_t committed = members_.size();
    end_transaction();
    memory_.report();
    evict(kEvictAtCommit + 4 * committed);
    memory_.report();
  }

  void abort() override {
    for (const Number number : members_) drop(number);
    dirty_.clear();
    if (table_) take_marks();
    end_transaction();
    memory_.report();
  }

  std::size_t uncommitted_bytes() const override { return uncommitted_bytes_ + log_.bytes(); }

  // --- Restore, disk, queries ---------------------------------------------------------------

  Offset restored_to() const override { return table_->restored_to(); }
  void restore(std::span<const RecordView> records, Offset next, CommitSequence commit) override {
    if (entries_.size() > 0) forget_everything();
    table_->restore(records, next, commit);
    take_marks();
  }
  Status discard() override {
    forget_everything();
    auto status = table_->discard();
    take_marks();
    return status;
  }
  std::size_t unspilled_bytes() const override { return table_->unspilled_bytes(); }
  std::shared_ptr<Spill> start_spill(Timestamp wall_time) override {
    return table_->start_spill(wall_time);
  }
  std::shared_ptr<const StoreView> view() const override { return table_; }

 private:
  using Table = EntryTable<K, V>;
  using Cell = typename Table::Entry;
  using Number = typename Table::Number;
  using State = typename Table::State;
  using Before = typename Table::Before;
  friend class TypedIterator<K, V>;

  static constexpr Number kNone = Table::kNone;
  static constexpr std::size_t kEvictPerLoad = 4;
  static constexpr std::size_t kEvictAtCommit = 64;

  void take_marks() {
    marks_ = table_->marks();
    flush_time_ = to_millis(marks_.stream_time);
  }
  Timestamp now() const { return record_time_ ? record_time_() : kNoTimestamp; }

  // --- Level 1's entries --------------------------------------------------------------------

  /// Brings a key that level 1 does not know into it, clean; without value if there is none.
  Number load(const K& key) {
    ValueAndTimestamp<V> found;
    const bool has_value = table_->find(bytes_of(key), scratch_value_, found.timestamp);
    if (has_value) read_value(scratch_value_, found.value);
    evict(kEvictPerLoad);
    const Number number = entries_.insert(key);
    Cell& cell = entries_[number];
    cell.current = std::move(found);
    cell.has_value = has_value;
    cell.state = State::kClean;
    charge(cell, scratch_.size() + (has_value ? scratch_value_.size() : 0));
    memory_.add_clean(cell.charge);
    memory_.report_if_much();
    return number;
  }

  /// The entry of `key`, in the open transaction, what it held before put aside.
  Number open_for_write(const K& key) {
    Number number = entries_.find(key);
    if (number == kNone && old_values_) number = load(key);
    if (number == kNone) {
      number = entries_.insert(key);
      entries_[number].state = State::kFlushed;  // Until set() says otherwise.
      charge(entries_[number], average_bytes_);
      join_transaction(number);
      return number;
    }
    Cell& cell = entries_[number];
    if (cell.pins > 0) return write_under_listener(number);
    if (cell.state == State::kDirty) return number;
    if (cell.state == State::kClean) {
      memory_.remove_clean(cell.charge);
      join_transaction(number);
    }
    remember(cell);
    return number;
  }

  /// What the entry holds becomes what it held before.
  void remember(Cell& cell) {
    if (!cell.has_value) {
      cell.before = Before::kAbsent;
    } else if (!old_values_) {
      cell.before = Before::kPresent;
    } else {
      cell.before = Before::kKept;
      cell.before_value = spares_.take();
      *cell.before_value = std::move(cell.current.value);
    }
  }

  /// A listener is looking at the entry's key and value: it keeps them, the key gets a new entry.
  Number write_under_listener(Number number) {
    const Number fresh = entries_.supersede(number);
    Cell& seen = entries_[number];
    Cell& cell = entries_[fresh];
    seen.state = State::kOrphan;
    cell.state = State::kFlushed;
    cell.write = std::exchange(seen.write, WriteLog::kNone);
    cell.before = seen.has_value ? Before::kPresent : Before::kAbsent;
    if (seen.has_value && old_values_) {
      cell.before = Before::kKept;
      cell.before_value = spares_.take();
      read_value(*log_.value(cell.write), *cell.before_value);
    }
    charge(cell, average_bytes_);
    join_transaction(fresh);
    return fresh;
  }

  void join_transaction(Number number) {
    members_.push_back(number);
    uncommitted_bytes_ += entries_[number].charge;
    if (overlay_.is_kept()) add_to_overlay(number);
  }

  void set(Number number, V&& value, bool has_value, Timestamp timestamp, const Headers& headers) {
    Cell& cell = entries_[number];
    cell.current.value = std::move(value);
    cell.has_value = has_value;
    cell.is_referenced = true;
    cell.current.timestamp = timestamp;
    if (is_cached_) {
      cell.headers = headers.empty() ? nullptr : std::make_unique<Headers>(headers);
      if (cell.state == State::kDirty) dirty_.remove(entries_, number);
      cell.state = State::kDirty;
      dirty_.append(entries_, number);
      if (listener_) origins_.note(number, entries_.capacity());
    } else {
      cell.state = State::kFlushed;
      write_out(cell);
      tell_listener(cell, headers);
    }
    memory_.report_if_much();
  }

  // --- Flush --------------------------------------------------------------------------------

  void flush_entry(Number number) {
    Cell& cell = entries_[number];
    dirty_.remove(entries_, number);
    cell.state = State::kFlushed;
    if (listener_ && !cell.has_value && !existed(cell)) {  // Came and went unseen.
      return write_out(cell, false);
    }
    write_out(cell);
    if (segments_ && listener_) {
      flush_time_ = std::max(flush_time_, segments_->time_of(bytes_of(cell.key)));
    }
    const auto headers = std::move(cell.headers);
    origins_.recall(number);
    tell_listener(cell, headers ? *headers : kNoHeaders);
  }

  bool existed(const Cell& cell) {
    // A window that has expired can no longer be read but in the cache.
    const auto readable = segments_ ? segments_->first_readable(from_millis(flush_time_)) : 0;
    if (segments_ && segments_->time_of(bytes_of(cell.key)) < readable) return false;
    if (cell.before != Before::kUnknown) return cell.before != Before::kAbsent;
    Timestamp timestamp;
    return table_->find(bytes_of(cell.key), scratch_value_, timestamp);
  }

  /// Makes the entry's bytes and sends them to the changelog.
  void write_out(Cell& cell, bool logged = true) {
    std::string& arena = log_.arena();
    const std::size_t at = arena.size();
    if (cell.write != WriteLog::kNone) {
      log_.append_key_of(cell.write);
    } else {
      key_serde_.serialize(cell.key, arena);
    }
    const std::size_t key_size = arena.size() - at;
    if (cell.has_value) {
      value_serde_.serialize(cell.current.value, arena);
      average_bytes_ = (average_bytes_ * 15 + (arena.size() - at)) / 16;
    }
    cell.write = log_.add(at, key_size, cell.has_value, cell.current.timestamp, cell.write);
    if (changelog_ && logged) {
      changelog_->append(log_.key(cell.write).substr(hidden_), log_.value(cell.write),
                         cell.current.timestamp, kNoHeaders);
    }
  }

  void tell_listener(Cell& cell, const Headers& headers) {
    auto before = std::move(cell.before_value);
    if (listener_) {
      const typename Table::Pin pin(cell);
      listener_(cell.key, cell.has_value ? &cell.current.value : nullptr, before.get(),
                cell.current.timestamp, headers);
    }
    spares_.keep(std::move(before));
  }

  void end_transaction() {
    members_.clear();
    log_.clear();
    overlay_.clear();
    uncommitted_bytes_ = 0;
  }

  // --- Scans --------------------------------------------------------------------------------

  /// Has the overlay ready for walks over one group or over ranges. From now on each first write of
  /// a key keeps it up.
  void prepare_scan(bool by_group) {
    const bool was_kept = overlay_.is_kept();
    if (by_group) {
      overlay_.make_grouped(segments_->suffix_size());
    } else {
      overlay_.make_ordered();
    }
    if (was_kept) return;
    for (const Number number : members_) {
      if (entries_[number].state != State::kOrphan) add_to_overlay(number);
    }
  }
  void add_to_overlay(Number number) { overlay_.add(bytes_of(entries_[number].key), number); }

  // --- Memory -------------------------------------------------------------------------------

  void charge(Cell& cell, std::size_t serialised_bytes) {
    constexpr std::size_t kIndexSlot = 6;
    constexpr bool is_flat = std::is_trivially_copyable_v<K> && std::is_trivially_copyable_v<V>;
    cell.charge =
        static_cast<std::uint32_t>(sizeof(Cell) + kIndexSlot + (is_flat ? 0 : serialised_bytes));
    memory_.add(cell.charge);
  }
  /// While clean values take too much memory: frees those not read since the hand's last round.
  void evict(std::size_t steps) {
    for (; steps > 0 && memory_.clean_entries() > 0 && memory_.cache_is_full(); --steps) {
      if (++hand_ >= entries_.capacity()) hand_ = 0;
      Cell& cell = entries_[hand_];
      if (cell.state != State::kClean) continue;
      if (std::exchange(cell.is_referenced, false)) continue;
      memory_.remove_clean(cell.charge);
      drop(hand_);
      memory_.report_if_much();
    }
  }
  void drop(Number number) {
    if (entries_[number].state != State::kOrphan) entries_.unlink(number);
    release(number);
  }
  void release(Number number) {
    memory_.add(-static_cast<std::int64_t>(entries_[number].charge));
    entries_.release(number);
  }
  /// Empties level 1.
  void forget_everything() {
    abort();
    forget_clean([](const K&) { return true; });
  }

  BytesView bytes_of(const K& key) {
    scratch_.clear();
    key_serde_.serialize(key, scratch_);
    return scratch_;
  }
  void read_value(BytesView bytes, V& value) const {
    read_from(value_serde_, name_, "value", bytes, value);
  }
  void read_key(BytesView bytes, K& key) const { read_from(key_serde_, name_, "key", bytes, key); }

  const std::string name_;
  const bool wants_disk_;
  const bool wants_caching_;
  const std::optional<Segments> segments_;
  const std::size_t hidden_;  // Bytes of a stored key that the changelog does not see.
  const bool keeps_committed_;
  const AnySerde<K> key_serde_;
  const AnySerde<V> value_serde_;

  std::shared_ptr<LayeredTable> table_;  // Shared with views and spills.
  ChangelogWriter* changelog_ = nullptr;
  std::function<Timestamp()> record_time_;
  Listener listener_;
  bool old_values_ = false;
  bool is_cached_ = false;
  StoreMarks marks_;
  std::int64_t flush_time_ = -1;  // The stream time of what the listener was told of.

  Table entries_;
  std::vector<Number> members_;  // Entries of the open transaction.
  DirtyList<Table> dirty_;
  RecordOrigins origins_;  // Of dirty entries.
  WriteLog log_;
  Overlay overlay_;  // members_ by serialised key.

  std::string scratch_;
  std::string scratch_value_;
  SpareValues<V> spares_;
  std::size_t average_bytes_ = 0;  // Of a serialised entry.
  std::size_t uncommitted_bytes_ = 0;
  MemoryMeter memory_;
  Number hand_ = 0;  // Of the clock that evicts.
};

}  // namespace thalweg::internal
