#include "query/loaded_view.h"

#include <thalweg/schemas/serde.h>
#include <thalweg/state/internal/segments.h>

namespace thalweg::internal {

namespace {

constexpr std::size_t kFetched = 1000;
/// Rows of windows lie by segment, of whatever length; readers ask which there are.
constexpr std::int64_t kDay = 86'400'000;

std::optional<Segments> layout_of(StateStore::Kind kind) {
  if (kind == StateStore::Kind::kWindow) {
    return Segments{.keys = Segments::Keys::kWindow, .interval = kDay};
  }
  if (kind == StateStore::Kind::kSession) {
    return Segments{.keys = Segments::Keys::kSession, .interval = kDay};
  }
  return std::nullopt;
}

}  // namespace

void LoadedView::apply(const RecordView& record, StateStore::Kind kind) {
  if (!record.key) return;
  std::string key;
  if (const auto layout = layout_of(kind)) {
    layout->append_stored(*record.key, key);
  } else {
    key = *record.key;
  }
  if (record.value) {
    rows_[std::move(key)] = {std::string(*record.value), record.timestamp};
  } else {
    rows_.erase(key);
  }
}

Status LoadedView::read_changelog(Log& log, const TopicPartition& changelog,
                                  StateStore::Kind kind) {
  const auto range = log.range(changelog);
  if (!range) return std::unexpected(range.error());
  const auto consumer = log.consumer({});
  consumer->assign(changelog, range->begin, 0);
  Offset next = range->begin;
  while (next < range->end) {
    std::vector<RecordBatch> batches;
    consumer->fetch(batches, kFetched);
    for (const auto& batch : batches) {
      for (const auto& record : batch.records) apply(record, kind);
      next = batch.next;
    }
    ConsumerEvent event;
    while (consumer->poll(event)) {
      if (event.kind == ConsumerEvent::Kind::kFailed) return std::unexpected(event.error);
      if (event.kind == ConsumerEvent::Kind::kOutOfRange) {
        return failure(ErrorCode::kCorrupt, "changelog " + to_string(changelog) +
                                                " cannot be read at " + std::to_string(next));
      }
    }
  }
  return {};
}

Status LoadedView::read_family(const Family& family) {
  const auto cursor = family.scan();
  for (; cursor->valid(); cursor->next()) {
    const BytesView stored = cursor->value();
    if (stored.size() < sizeof(std::int64_t)) {
      return failure(ErrorCode::kCorrupt, "a row on disk has no timestamp");
    }
    std::int64_t millis = 0;
    Serde<std::int64_t>::deserialize(stored.substr(0, sizeof(millis)), millis);
    rows_[std::string(cursor->key())] = {std::string(stored.substr(sizeof(millis))),
                                         from_millis(millis)};
  }
  return cursor->status();
}

Result<std::optional<StoredEntry>> LoadedView::get(BytesView key) const {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return std::optional<StoredEntry>{};
  return StoredEntry{found->first, found->second.value, found->second.timestamp};
}

Result<std::vector<StoredEntry>> LoadedView::scan(const Scan& scan) const {
  auto from = scan.from ? rows_.lower_bound(*scan.from) : rows_.begin();
  auto to = scan.to ? rows_.lower_bound(*scan.to) : rows_.end();
  std::vector<StoredEntry> found;
  if (scan.from && scan.to && *scan.from >= *scan.to) return found;
  const auto take = [&](const auto& row) {
    found.push_back({row.first, row.second.value, row.second.timestamp});
  };
  if (scan.reverse) {
    while (to != from && found.size() < scan.limit) take(*--to);
  } else {
    for (; from != to && found.size() < scan.limit; ++from) take(*from);
  }
  return found;
}

Result<std::shared_ptr<const StoreView>> view_of_changelog(Log& log,
                                                           const TopicPartition& changelog,
                                                           StateStore::Kind kind) {
  auto view = std::make_shared<LoadedView>();
  if (auto read = view->read_changelog(log, changelog, kind); !read) {
    return std::unexpected(read.error());
  }
  return view;
}

Result<std::shared_ptr<const StoreView>> view_of_family(const std::shared_ptr<Family>& family) {
  auto view = std::make_shared<LoadedView>();
  if (family) {
    if (auto read = view->read_family(*family); !read) return std::unexpected(read.error());
  }
  return view;
}

}  // namespace thalweg::internal
