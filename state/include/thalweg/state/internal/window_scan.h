#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <thalweg/state/internal/segments.h>
#include <thalweg/state/state_store.h>

namespace thalweg::internal {

/// What a walk over a store of windows is to show, as ranges of stored keys and a test.
struct WindowScan {
  enum class Order : std::uint8_t {
    kAsStored,
    kByTime,          ///< By time, key, and number (of duplicates) or latest start (of sessions).
    kByTimeAndStart,  ///< Of sessions: by end, start, key.
  };

  Segments segments;
  std::optional<std::string> first = {};  ///< The user's keys, both bounds inclusive.
  std::optional<std::string> last = {};
  /// What a window's start or a session's end may be, both bounds inclusive.
  std::int64_t from = 0;
  std::int64_t to = 0;
  /// A session must not start later.
  std::optional<std::int64_t> latest_start = {};
  bool reverse = false;
  Order order = Order::kAsStored;

  std::vector<StoreView::Scan> ranges = {};

  /// The first segment that has entries, of those from `segment` on.
  using NextSegment = std::function<std::optional<std::int64_t>(std::int64_t segment)>;

  /// Fills `ranges` for a store in which entries from `first_readable` to `latest` may be seen.
  /// Where these are many segments, it asks which of them are there.
  void plan(std::int64_t first_readable, Timestamp latest, const NextSegment& next_segment);
  /// Whether an entry within the ranges is asked for.
  bool wants(BytesView stored_key) const;
  /// Sorts stored keys as `order` and `reverse` say.
  void sort(std::vector<std::string>& keys) const;

 private:
  void add_segment(std::int64_t segment);
};

}  // namespace thalweg::internal
