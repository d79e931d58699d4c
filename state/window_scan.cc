#include <algorithm>
#include <tuple>

#include <thalweg/state/internal/window_scan.h>

#include "big_endian.h"

namespace thalweg::internal {
namespace {

// A retention has a few of them; a store that has not dropped any yet may have them from 1970 on.
constexpr std::int64_t kSegmentsUnasked = 16;

std::string time_bytes(std::int64_t time) {
  std::string bytes;
  append_big_endian(time, bytes);
  return bytes;
}

/// The bytes of the time after all within `span` from `time`, which may be above every time.
std::string bytes_after(std::int64_t time, std::int64_t span) {
  return time_bytes(static_cast<std::int64_t>(static_cast<std::uint64_t>(time) +
                                              static_cast<std::uint64_t>(span)));
}

/// A bound above every window of every key up to `last`: the time that follows a key which is a
/// prefix of `last` may be greater than what stands in its place there, so a byte that is smaller
/// than any time's first cuts `last` short.
std::string above_keys(BytesView last, std::int64_t latest) {
  const std::string time = time_bytes(latest);
  std::size_t size = 0;
  while (size < last.size() &&
         static_cast<unsigned char>(last[size]) >= static_cast<unsigned char>(time.front())) {
    ++size;
  }
  return std::string(last.substr(0, size)) + std::string(16, '\xff');
}

}  // namespace

void WindowScan::plan(std::int64_t first_readable, Timestamp latest,
                      const NextSegment& next_segment) {
  from = std::max({from, first_readable, std::int64_t{0}});
  to = std::min(to, to_millis(latest));
  if (from > to || (first && last && *last < *first)) return;
  if (segments.by_time || (!first && !last)) {
    auto& range = ranges.emplace_back();
    range.from = time_bytes(segments.prefix_of(from));
    range.to = bytes_after(segments.prefix_of(to), segments.by_time ? 1 : segments.interval);
  } else {
    const auto begin = segments.segment_of(from);
    const bool asks = (to - begin) / segments.interval >= kSegmentsUnasked;
    for (std::optional at = asks ? next_segment(begin) : begin; at && *at <= to;) {
      add_segment(*at);
      if (to - *at < segments.interval) break;
      const auto next = *at + segments.interval;
      at = asks ? next_segment(next) : next;
    }
    if (reverse) std::ranges::reverse(ranges);
  }
  for (auto& range : ranges) range.reverse = reverse;
}

void WindowScan::add_segment(std::int64_t segment) {
  const std::string prefix = time_bytes(segment);
  auto& range = ranges.emplace_back();
  range.from = prefix + first.value_or("");
  if (first == last) {
    range.group = range.from->size();
    *range.from += time_bytes(from);
    range.to = prefix + *last + time_bytes(to) + std::string(8, '\xff');
  } else if (last) {
    range.to = prefix + above_keys(*last, to);
  } else {
    range.to = bytes_after(segment, segments.interval);
  }
}

bool WindowScan::wants(BytesView stored_key) const {
  const BytesView bytes = stored_key.substr(Segments::kPrefixSize);
  const auto time = segments.time_of(bytes);
  if (time < from || time > to) return false;
  if (latest_start && segments.start_of(bytes) > *latest_start) return false;
  const BytesView key = segments.key_of(bytes);
  return (!first || key >= *first) && (!last || key <= *last);
}

void WindowScan::sort(std::vector<std::string>& keys) const {
  const auto rank = [this](const std::string& stored_key) {
    const BytesView bytes = BytesView(stored_key).substr(Segments::kPrefixSize);
    const auto time = segments.time_of(bytes);
    const BytesView key = segments.key_of(bytes);
    if (segments.keys == Segments::Keys::kWindow) {
      return std::tuple(time, std::int64_t{0}, key, std::int64_t{segments.sequence_of(bytes)});
    }
    const auto start = segments.start_of(bytes);
    return order == Order::kByTime ? std::tuple(time, std::int64_t{0}, key, -start)
                                   : std::tuple(time, start, key, std::int64_t{0});
  };
  std::ranges::sort(keys, [&](const std::string& left, const std::string& right) {
    return reverse ? rank(right) < rank(left) : rank(left) < rank(right);
  });
}

}  // namespace thalweg::internal
