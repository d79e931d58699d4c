#include <algorithm>
#include <optional>

#include <thalweg/runtime/read_only_window_store.h>
#include <thalweg/state/internal/segments.h>
#include <thalweg/state/internal/version_view.h>

// Reads stores of windows through their views, which show rows as they lie in the table:
// `segment | key | times` (state/internal/segments.h). Which segments there are is asked of the
// view itself, as it knows best which have been dropped, and what of the others has expired.

namespace thalweg::internal {
namespace {

constexpr std::size_t kPiece = 256;

std::string time_bytes(std::int64_t time) {
  std::string bytes;
  Serde<std::int64_t>::serialize(time, bytes);
  return bytes;
}

/// Above every key that begins with `prefix` and goes on with times.
std::string end_of_times(std::string prefix) { return prefix + std::string(17, '\xff'); }

class WindowReader {
 public:
  WindowReader(const StoreView& view, StateStore::Kind kind, const WindowRange& range)
      : view_(view), range_(range) {
    layout_.keys =
        kind == StateStore::Kind::kSession ? Segments::Keys::kSession : Segments::Keys::kWindow;
  }

  /// The segments that may have rows of the range, in the order of the walk.
  Result<std::vector<std::int64_t>> segments() const {
    auto prefixes = segment_prefixes(view_);
    if (!prefixes) return prefixes;
    // A segment ends where the next one begins, so of those up to `from` only the last counts.
    const auto first = std::ranges::upper_bound(*prefixes, to_millis(range_.from));
    if (first - prefixes->begin() > 1) prefixes->erase(prefixes->begin(), first - 1);
    // A session lies where it ends, which may be later than what is asked for.
    if (layout_.keys == Segments::Keys::kWindow) {
      prefixes->erase(std::ranges::upper_bound(*prefixes, to_millis(range_.to)), prefixes->end());
    }
    if (range_.reverse) std::ranges::reverse(*prefixes);
    return prefixes;
  }

  /// Calls `visit(row)` with the rows of a scan that are asked for, until it is false, which is
  /// the answer then.
  template <typename Visit>
  Result<bool> walk(StoreView::Scan scan, Visit visit) const {
    scan.reverse = range_.reverse;
    scan.limit = kPiece;
    for (;;) {
      auto page = view_.scan(scan);
      if (!page) return std::unexpected(page.error());
      const Timestamp first_readable = view_.first_readable();
      for (auto& entry : *page) {
        auto row = row_of(entry, first_readable);
        if (row && !visit(*std::move(row))) return false;
      }
      if (page->size() < kPiece) return true;
      if (range_.reverse) {
        scan.to = page->back().key;
      } else {
        scan.from = page->back().key + '\0';
      }
    }
  }

  /// Where the windows of `key` lie in a segment.
  StoreView::Scan of_key(std::int64_t segment, BytesView key) const {
    std::string prefix;
    Segments::append_prefix(segment, prefix);
    prefix += key;
    StoreView::Scan scan;
    scan.from = prefix + time_bytes(std::max<std::int64_t>(0, to_millis(range_.from)));
    scan.to = end_of_times(layout_.keys == Segments::Keys::kWindow
                               ? prefix + time_bytes(to_millis(range_.to))
                               : prefix);
    return scan;
  }

 private:
  /// The row, if it is one of the range and has not expired.
  std::optional<WindowRow> row_of(StoredEntry& entry, Timestamp first_readable) const {
    const BytesView stored(entry.key);
    if (stored.size() < Segments::kPrefixSize + layout_.suffix_size()) return {};
    const BytesView bytes = stored.substr(Segments::kPrefixSize);
    const Timestamp time = from_millis(layout_.time_of(bytes));
    if (time < first_readable) return {};
    WindowRow row{std::string(layout_.key_of(bytes)), {}, {}, entry.timestamp};
    if (layout_.keys == Segments::Keys::kWindow) {
      row.window.start = time;
      if (time < range_.from || time > range_.to) return {};
    } else {
      row.window = {from_millis(layout_.start_of(bytes)), time};
      if (time < range_.from || row.window.start > range_.to) return {};
    }
    row.value = std::move(entry.value);
    return row;
  }

  const StoreView& view_;
  const WindowRange& range_;
  Segments layout_;
};

}  // namespace

Result<std::vector<WindowRow>> read_windows(const StoreView& view, StateStore::Kind kind,
                                            BytesView key, const WindowRange& range) {
  if (kind != StateStore::Kind::kWindow && kind != StateStore::Kind::kSession) {
    return failure(ErrorCode::kInvalid, "the store has no windows");
  }
  std::vector<WindowRow> rows;
  if (range.limit == 0) return rows;
  const WindowReader reader(view, kind, range);
  const auto segments = reader.segments();
  if (!segments) return std::unexpected(segments.error());
  for (const auto segment : *segments) {
    auto more = reader.walk(reader.of_key(segment, key), [&](WindowRow row) {
      if (row.key == key) rows.push_back(std::move(row));
      return rows.size() < range.limit;
    });
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
  }
  return rows;
}

}  // namespace thalweg::internal
