#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/topology/internal/join_time_tracker.h>
#include <thalweg/topology/internal/outer_join_store.h>
#include <thalweg/topology/internal/table_supplier.h>
#include <thalweg/topology/join_windows.h>

namespace thalweg::internal {

/// Records of both sides of a left or outer join for which nobody has come yet, in the store that
/// the sides share. An inner join has none.
template <typename Key, typename L, typename R>
class WaitingRecords {
 public:
  using Place = TimestampedKeyAndJoinSide<Key>;
  using Value = LeftOrRightValue<L, R>;
  using Values = std::vector<Value>;

  void open(TaskContext& context, const std::string& store) {
    store_ = &key_value_store_of<Place, Values>(context, store);
  }
  bool exist() const { return store_ != nullptr; }

  void add(const Place& place, Value value, const RecordContext& context) {
    const Values* known = store_->get(place);
    Values values = known ? *known : Values{};
    values.push_back(std::move(value));
    store_->put(place, std::move(values), context.timestamp, *context.headers);
  }
  void remove(const Place& place, const RecordContext& context) {
    if (store_->get(place)) store_->remove(place, context.timestamp, *context.headers);
  }

  /// Those whose window has closed, by time. How far it looks, and from when on it is worth looking
  /// again, is Kafka Streams' own: the earliest time that is remembered is that of the last entry
  /// seen.
  std::vector<std::pair<Place, Values>> closed(const JoinWindows& windows,
                                               JoinTimeTracker& tracker) {
    std::vector<std::pair<Place, Values>> found;
    bool left_open = false;
    bool right_open = false;
    tracker.min_time = std::numeric_limits<std::int64_t>::max();
    for (auto entry = store_->all(); entry->valid(); entry->next()) {
      tracker.min_time = entry->key().time;
      if (left_open && right_open) break;
      const auto look_back = entry->key().is_left ? windows.after() : windows.before();
      if (entry->key().time + look_back.count() + windows.grace().count() >= tracker.stream_time) {
        (entry->key().is_left ? left_open : right_open) = true;
      } else {
        found.emplace_back(entry->key(), entry->value().value);
      }
      // Each value under a key counts as an entry seen: with a second one, this key is the last.
      if (left_open && right_open && entry->value().value.size() > 1) break;
    }
    return found;
  }

 private:
  KeyValueStore<Place, Values>* store_ = nullptr;
};

}  // namespace thalweg::internal
