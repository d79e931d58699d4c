#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

#include <thalweg/state/internal/deferred_writes.h>
#include <thalweg/state/internal/segmented_iterator.h>

namespace thalweg::internal {

/// What window and session stores have in common: entries of level 1 above a table of segments, and
/// a time of their own.
template <typename Interface, typename K, typename V>
class SegmentedStore : public Interface {
 public:
  using Listener = typename Interface::Listener;
  using Entry = typename Interface::Entry;
  using Iterator = typename Interface::Iterator;

  SegmentedStore(std::string name, bool persistent, bool caching, const AnySerde<K>& key_serde,
                 AnySerde<V> value_serde, Segments segments, std::int64_t window_size,
                 bool keeps_committed)
      : segments_(segments),
        entries_(std::move(name), persistent, caching,
                 AnySerde<Stored>(StoredWindowSerde<K>(key_serde, segments, window_size)),
                 std::move(value_serde), segments, keeps_committed),
        key_serde_(key_serde) {}

  const std::string& name() const final { return entries_.name(); }
  SchemaPtr key_schema() const final { return entries_.key_schema(); }
  SchemaPtr value_schema() const final { return entries_.value_schema(); }
  bool persistent() const final { return entries_.persistent(); }
  bool cached() const final { return entries_.cached(); }

  Status open(const StoreContext& context) final {
    on_late_ = context.on_late;
    record_time_ = context.record_time;
    record_ = context.record;
    return entries_.open(context);
  }
  bool flush() final {
    settle();
    late_.clear();
    return entries_.flush();
  }
  void commit(Offset changelog_end, CommitSequence commit) final {
    entries_.commit(changelog_end, commit);
    forget_expired();
  }
  void abort() final {
    if (deferred_) std::exchange(deferred_, nullptr)->forget();
    late_.clear();
    entries_.abort();
  }
  std::size_t uncommitted_bytes() const final {
    return entries_.uncommitted_bytes() + (deferred_ ? deferred_->bytes() : 0);
  }
  Offset restored_to() const final { return entries_.restored_to(); }
  void restore(std::span<const RecordView> records, Offset next, CommitSequence commit) final {
    entries_.restore(records, next, commit);
  }
  Status discard() final { return entries_.discard(); }
  std::size_t unspilled_bytes() const final { return entries_.unspilled_bytes(); }
  std::shared_ptr<Spill> start_spill(Timestamp wall_time) final {
    return entries_.start_spill(wall_time);
  }
  std::shared_ptr<const StoreView> view() const final { return entries_.view(); }

  std::chrono::milliseconds retention() const final {
    return std::chrono::milliseconds(segments_.retention);
  }
  Timestamp stream_time() const final { return entries_.marks().stream_time; }

  // --- Writes that wait ---------------------------------------------------------------------

  /// From now on the store waits for `writes`, the latest of which will be at `latest`. It makes
  /// them before anything else happens, unless they are aborted.
  void defer(const std::shared_ptr<DeferredWrites>& writes, Timestamp latest) {
    if (deferred_ != writes) {
      settle();
      deferred_ = writes;
    }
    advance(latest);
  }
  /// Makes the writes that wait. Whoever reads or writes entries does so first.
  void settle() {
    if (deferred_) [[unlikely]]
      std::exchange(deferred_, nullptr)->write();
  }
  /// Whether an entry of `time` is not too late even when one of `latest` has been put.
  bool outlives(Timestamp time, Timestamp latest) const {
    return segments_.is_live(to_millis(time), std::max(latest, stream_time()));
  }
  /// The record being processed, as StoreContext::record.
  RecordMetadata* record() const { return record_; }

  void set_listener(Listener listener, bool old_values) final {
    has_listener_ = static_cast<bool>(listener);
    if (!listener) return entries_.set_listener({}, false);
    entries_.set_listener(
        [listener = std::move(listener)](const Stored& key, const V* new_value, const V* old_value,
                                         Timestamp timestamp, const Headers& headers) {
          listener(key.windowed, new_value, old_value, timestamp, headers);
        },
        old_values);
  }

 protected:
  using Stored = StoredWindow<K>;

  /// What is older has expired for a reader. A record cache shows what it still has, in Kafka
  /// Streams too: here that is what no dropped segment has taken along.
  std::int64_t first_readable() const {
    return cached() ? first_kept() : segments_.first_readable(stream_time());
  }
  /// What is older is gone.
  std::int64_t first_kept() const {
    if (cached()) return entries_.first_segment();
    return segments_.exact_expiry ? segments_.first_readable(stream_time())
                                  : segments_.first_segment(stream_time());
  }
  Timestamp now() const { return record_time_ ? record_time_() : kNoTimestamp; }

  /// The entry at `at`, which is of that time.
  const Entry* find(const Stored& at, Timestamp time) {
    if (to_millis(time) < first_readable()) return nullptr;
    return entries_.get_with_timestamp(at);
  }
  void write(const Stored& at, Timestamp time, V&& value, Timestamp timestamp,
             const Headers& headers) {
    if (observe(at, time)) return entries_.put(at, std::move(value), timestamp, headers);
    entries_.pass_through(at, &value, timestamp, headers);
  }
  void erase(const Stored& at, Timestamp time, Timestamp timestamp, const Headers& headers) {
    if (keeps_removal(at, time)) return entries_.remove(at, timestamp, headers);
    entries_.pass_through(at, nullptr, timestamp, headers);
  }

  /// `expired_too`: whether what is still kept is shown although it has expired.
  std::unique_ptr<Iterator> scan(WindowScan scan, const K* first, const K* last,
                                 bool expired_too = false) {
    scan.segments = segments_;
    if (first) key_serde_.serialize(*first, scan.first.emplace());
    if (last) key_serde_.serialize(*last, scan.last.emplace());
    scan.plan(expired_too ? first_kept() : first_readable(), stream_time(),
              [this](std::int64_t segment) { return next_segment(segment); });
    return std::make_unique<SegmentedIterator<K, V>>(entries_, std::move(scan));
  }

  /// The first segment from this one on that has entries.
  std::optional<std::int64_t> next_segment(std::int64_t segment) {
    std::string from;
    Segments::append_prefix(segment, from);
    const TypedIterator<Stored, V> first(entries_, {.from = std::move(from)});
    if (!first.valid()) return std::nullopt;
    return Segments::prefix_in(first.key_bytes());
  }

  /// Moves the store's time on; false for what is too old to be kept.
  bool advance(Timestamp time) {
    Timestamp& stream_time = entries_.marks().stream_time;
    if (time > stream_time) stream_time = time;
    return to_millis(time) >= first_kept();
  }
  /// The same, and counts what comes too late.
  bool observe(const Stored& at, Timestamp time) {
    const bool is_kept = advance(time);
    if (!segments_.is_live(to_millis(time), stream_time())) count_late(at);
    return is_kept;
  }

  /// The cache of a table hands a removal on only if the store below still shows what it replaces:
  /// then it is not late, and its time is not new.
  bool lets_removals_go() const { return cached() && has_listener_; }

  const Segments segments_;
  TypedKeyValueStore<Stored, V> entries_;

 private:
  /// A session that is removed is not late, and in memory its time does not count. A cache knows
  /// no removals, only entries without a value, which count as all do, unless it lets them go.
  bool keeps_removal(const Stored& at, Timestamp time) {
    const bool counts = cached() && !has_listener_;
    if (segments_.keys == Segments::Keys::kWindow || counts) return observe(at, time);
    return segments_.exact_expiry ? to_millis(time) >= first_kept() : advance(time);
  }

  /// A cache hands on an entry once, however often it was written since: so often is it late.
  void count_late(const Stored& at) {
    if (!on_late_) return;
    if (cached()) {
      std::string entry;
      key_serde_.serialize(at.windowed.key, entry);
      append_big_endian<std::uint64_t>(to_millis(at.windowed.window.start), entry);
      append_big_endian<std::uint64_t>(to_millis(at.windowed.window.end), entry);
      if (!late_.insert(std::move(entry)).second) return;
    }
    on_late_();
  }

  void forget_expired() {
    const auto first = entries_.first_segment();
    if (first <= first_segment_) return;
    first_segment_ = first;
    const bool is_window = segments_.keys == Segments::Keys::kWindow;
    entries_.forget_clean([first, is_window](const Stored& key) {
      const Window& window = key.windowed.window;
      return to_millis(is_window ? window.start : window.end) < first;
    });
  }

  const AnySerde<K> key_serde_;
  std::function<void()> on_late_;
  std::function<Timestamp()> record_time_;
  RecordMetadata* record_ = nullptr;
  std::shared_ptr<DeferredWrites> deferred_;
  bool has_listener_ = false;
  std::unordered_set<std::string> late_;  // Entries counted since the last flush.
  std::int64_t first_segment_ = 0;
};

}  // namespace thalweg::internal
