#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include <thalweg/state/internal/typed_window_store.h>
#include <thalweg/topology/internal/node.h>
#include <thalweg/topology/windows.h>

namespace thalweg::internal {

/// An aggregation whose partial results may be combined in any order and give the same: it begins
/// with its own initializer and says so. Not sums of floating point numbers.
template <typename Init, typename Fold>
concept CombinesExactly = requires {
  requires Fold::kCombinesExactly;
  requires std::is_same_v<Init, decltype(Fold::initializer())>;
};

/// Hopping windows by *panes*: between two hops all times lie in the same windows, so the records
/// of a key and pane are folded into one partial result, and the windows are made of their panes
/// when somebody looks: when the cache is flushed, as a rule. A record then costs one pane, not as
/// many windows as hold it.
///
/// What is seen of the store is what folding each record into each window would give: values,
/// timestamps, headers, the record that wrote a window last, and the order of these last writes.
template <typename K, typename A, typename Init, typename Fold>
class WindowPanes final : public DeferredWrites,
                          public std::enable_shared_from_this<WindowPanes<K, A, Init, Fold>> {
 public:
  using Store = TypedWindowStore<K, A>;

  /// Whether these windows consist of panes, more than one, and the store lets writes wait.
  static bool suit(const TimeWindows& windows, const Store& store) {
    return store.cached() && windows.advance() < windows.size() &&
           windows.size() % windows.advance() == std::chrono::milliseconds(0);
  }

  WindowPanes(Store& store, TimeWindows windows, Init& initializer, Fold& aggregator)
      : store_(store), windows_(windows), initializer_(initializer), aggregator_(aggregator) {}

  /// Folds a record in; false if some of its windows have closed, so that it must be folded into
  /// the others one by one.
  template <typename V>
  bool fold(const K& key, const V& value, Timestamp close_time, const RecordContext& context) {
    const auto [first, last] = windows_.starts_around(context.timestamp);
    if (first + windows_.size() <= close_time) return false;
    if (last > latest_ && !panes_.empty() && !store_.outlives(earliest_, last)) store_.settle();
    const Pane* before = find(key, last);
    // Nothing is kept of a record at which the aggregator throws.
    Part part = std::invoke(aggregator_, key, value, before ? before->part : Part(initializer_()));
    store_.defer(this->shared_from_this(), last);
    earliest_ = panes_.empty() ? first : std::min(earliest_, first);
    latest_ = std::max(latest_, last);
    Pane& pane = pane_at(panes_[key], first, last);
    pane.part = std::move(part);
    pane.timestamp = std::max(pane.timestamp, context.timestamp);
    pane.written = ++writes_;
    if (store_.record()) pane.origin = *store_.record();
    pane.headers = context.headers->empty() ? nullptr : std::make_unique<Headers>(*context.headers);
    return true;
  }

  void write() override {
    std::vector<Update> updates;
    updates.reserve(window_count_);
    for (const auto& [key, panes] : panes_) list_updates(key, panes, updates);
    std::ranges::sort(updates, {}, [](const Update& update) {
      return std::pair(update.last->written, update.start);
    });
    RecordMetadata* const record = store_.record();
    const RecordMetadata current = record ? *record : RecordMetadata{};
    for (const Update& update : updates) {
      if (record) *record = update.last->origin;
      apply(update);
    }
    if (record) *record = current;
    forget();
  }
  void forget() override {
    panes_.clear();
    window_count_ = 0;
    latest_ = kNoTimestamp;
  }
  std::size_t bytes() const override {
    constexpr std::size_t kAround = 128;  // What an entry of the store has besides key and value.
    return window_count_ * (kAround + sizeof(K) + sizeof(A));
  }

 private:
  using Part = std::remove_cvref_t<std::invoke_result_t<Init&>>;

  struct Pane {
    Timestamp first;  ///< Start of the first window that holds it.
    Timestamp start;  ///< Its own, which is that of the last one.
    Part part;
    Timestamp timestamp = kNoTimestamp;
    std::uint64_t written = 0;  ///< When, in the order of all writes.
    RecordMetadata origin = {};
    std::unique_ptr<Headers> headers = {};
  };
  using Panes = std::vector<Pane>;  // By ascending start.

  /// What a window gets, all its panes together.
  struct Update {
    const K* key;
    const Pane* last;  ///< Of its panes the one that was written last.
    Timestamp start;
    Timestamp timestamp;
    Part part;
  };

  /// The pane that starts there, or where it belongs.
  template <typename List>
  static auto place_of(List& panes, Timestamp start) {
    auto at = panes.end();
    while (at != panes.begin() && std::prev(at)->start >= start) --at;
    return at;
  }
  const Pane* find(const K& key, Timestamp start) const {
    const auto found = panes_.find(key);
    if (found == panes_.end()) return nullptr;
    const auto at = place_of(found->second, start);
    return at != found->second.end() && at->start == start ? &*at : nullptr;
  }
  Pane& pane_at(Panes& panes, Timestamp first, Timestamp start) {
    const auto at = place_of(panes, start);
    if (at != panes.end() && at->start == start) return *at;
    const auto windows = (start - first) / windows_.advance() + 1;
    const auto fresh = panes.empty() ? windows
                                     : std::min<std::int64_t>(
                                           windows, std::abs((start - panes.back().start).count()) /
                                                        windows_.advance().count());
    window_count_ += static_cast<std::size_t>(fresh);
    return *panes.insert(at, Pane{.first = first, .start = start, .part = {}});
  }

  /// Each window that holds a pane, once: with the first of its panes.
  void list_updates(const K& key, const Panes& panes, std::vector<Update>& updates) {
    Timestamp listed = kNoTimestamp;
    for (auto pane = panes.begin(); pane != panes.end(); ++pane) {
      Timestamp start = pane->first;
      if (pane != panes.begin()) start = std::max(start, listed + windows_.advance());
      for (; start <= pane->start; start += windows_.advance()) {
        updates.push_back(update_of(key, start, pane, panes.end()));
      }
      listed = pane->start;
    }
  }
  Update update_of(const K& key, Timestamp start, typename Panes::const_iterator pane,
                   typename Panes::const_iterator end) {
    Update update{&key, &*pane, start, pane->timestamp, pane->part};
    for (++pane; pane != end && pane->start < start + windows_.size(); ++pane) {
      if (pane->written > update.last->written) update.last = &*pane;
      update.timestamp = std::max(update.timestamp, pane->timestamp);
      update.part = combined(key, std::move(update.part), pane->part);
    }
    return update;
  }
  Part combined(const K& key, Part a, Part b) {
    if constexpr (requires {
                    *a;
                    a.has_value();
                  }) {  // A fold that begins with nothing.
      return std::invoke(merger_, key, std::move(*a), std::move(*b));
    } else {
      return std::invoke(merger_, key, std::move(a), std::move(b));
    }
  }

  void apply(const Update& update) {
    const auto* old = store_.fetch_with_timestamp(*update.key, update.start);
    const Timestamp time = old ? std::max(update.timestamp, old->timestamp) : update.timestamp;
    Part part = old ? combined(*update.key, Part(old->value), update.part) : update.part;
    const Headers& headers = update.last->headers ? *update.last->headers : kNoHeaders;
    if constexpr (std::is_same_v<Part, A>) {
      store_.put(*update.key, std::move(part), update.start, time, headers);
    } else {
      store_.put(*update.key, std::move(*part), update.start, time, headers);
    }
  }

  Store& store_;
  const TimeWindows windows_;
  Init& initializer_;
  Fold& aggregator_;
  decltype(Fold::merger()) merger_ = Fold::merger();
  std::unordered_map<K, Panes> panes_;
  std::size_t window_count_ = 0;       // About so many windows hold a pane.
  Timestamp earliest_ = kNoTimestamp;  // Starts of the first and the last of them.
  Timestamp latest_ = kNoTimestamp;
  std::uint64_t writes_ = 0;
};

}  // namespace thalweg::internal
