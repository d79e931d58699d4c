// The parts of versioned stores that do not depend on types: bytes of versions, and views.

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include <thalweg/state/internal/segments.h>
#include <thalweg/state/internal/typed_iterator.h>
#include <thalweg/state/internal/typed_store_builder.h>
#include <thalweg/state/internal/version_segment_serde.h>
#include <thalweg/state/internal/version_view.h>

#include "big_endian.h"

namespace thalweg::internal {
namespace {

using namespace std::chrono_literals;

std::chrono::milliseconds default_segment_interval(std::chrono::milliseconds retention) {
  if (retention <= 60s) return std::max<std::chrono::milliseconds>(retention / 3, 2s);
  if (retention <= 300s) return std::max<std::chrono::milliseconds>(retention / 5, 20s);
  if (retention <= 3600s) return std::max<std::chrono::milliseconds>(retention / 12, 60s);
  return std::max<std::chrono::milliseconds>(retention / 24, 300s);
}

}  // namespace

HistoryRules plan_history(const std::string& name, const VersionedStoreOptions& versions) {
  const auto retention = versions.history_retention;
  const auto interval = versions.segment_interval.value_or(default_segment_interval(retention));
  if (retention < 0ms) {
    throw std::invalid_argument("store " + name + ": historyRetention cannot be negative");
  }
  if (interval < 1ms) {
    throw std::invalid_argument("store " + name + ": segmentInterval cannot be zero or negative");
  }
  return {.retention = retention.count(), .segment_interval = interval.count()};
}

StoreOptions versioned_changelog(StoreOptions options, const HistoryRules& rules) {
  const std::chrono::milliseconds lag = std::chrono::milliseconds(rules.retention) + 24h;
  options.caching = false;
  options.changelog_config.emplace_back("min.compaction.lag.ms", std::to_string(lag.count()));
  return options;
}

// --- Bytes -----------------------------------------------------------------------------------

namespace {
constexpr char kDeletion = 0;
constexpr char kValue = 1;
}  // namespace

BytesView VersionBytes::take(std::size_t size) {
  if (rest_.size() < size) throw SerdeError("a segment of a history ends too soon");
  const BytesView taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::int64_t VersionBytes::time() {
  return read_big_endian<std::int64_t>(take(sizeof(std::int64_t)));
}

bool VersionBytes::has_value() {
  const char kind = take(1).front();
  if (kind != kValue && kind != kDeletion) {
    throw SerdeError("a segment of a history has a version of kind " + std::to_string(kind));
  }
  return kind == kValue;
}

BytesView VersionBytes::value() {
  return take(read_big_endian<std::uint32_t>(take(sizeof(std::uint32_t))));
}

void VersionBytes::append_time(std::int64_t time, std::string& out) {
  append_big_endian(time, out);
}

void VersionBytes::append_kind(bool has_value, std::string& out) {
  out += has_value ? kValue : kDeletion;
}

void VersionBytes::insert_size(std::string& out, std::size_t at) {
  std::string size;
  append_big_endian(static_cast<std::uint32_t>(out.size() - at), size);
  out.insert(at, size);
}

std::int64_t segment_prefix(BytesView key) {
  if (key.size() < Segments::kPrefixSize) {
    throw SerdeError("a row of a versioned store has a key of " + std::to_string(key.size()) +
                     " bytes");
  }
  return read_big_endian<std::int64_t>(key);
}

// --- Views -----------------------------------------------------------------------------------

namespace {

std::string prefix_bytes(std::int64_t prefix) {
  std::string bytes;
  Segments::append_prefix(prefix, bytes);
  return bytes;
}

/// The row of a latest version, as the entry of the user's key.
Result<StoredEntry> latest_of(StoredEntry row) {
  try {
    VersionBytes bytes(row.value);
    bytes.time();
    if (!bytes.has_value()) throw SerdeError("the latest version of a key has no value");
    row.timestamp = from_millis(bytes.time());
    row.value = std::string(bytes.value());
    row.key.erase(0, Segments::kPrefixSize);
    return row;
  } catch (const SerdeError& error) {
    return failure(ErrorCode::kCorrupt, error.what());
  }
}

class LatestView final : public StoreView {
 public:
  explicit LatestView(std::shared_ptr<const StoreView> rows) : rows_(std::move(rows)) {}

  Result<std::optional<StoredEntry>> get(BytesView key) const override {
    auto row = rows_->get(prefix_ + std::string(key));
    if (!row || !row->has_value()) return row;
    return latest_of(**std::move(row));
  }

  Result<std::vector<StoredEntry>> scan(const Scan& scan) const override {
    Scan behind = scan;
    behind.from = prefix_ + scan.from.value_or("");
    behind.to = scan.to ? prefix_ + *scan.to : end_of_prefix(prefix_);
    auto rows = rows_->scan(behind);
    if (!rows) return rows;
    for (StoredEntry& row : *rows) {
      auto latest = latest_of(std::move(row));
      if (!latest) return std::unexpected(latest.error());
      row = *std::move(latest);
    }
    return rows;
  }

  std::uint64_t approximate_entries() const override { return rows_->approximate_entries(); }
  CommitSequence last_commit() const override { return rows_->last_commit(); }

 private:
  const std::shared_ptr<const StoreView> rows_;
  const std::string prefix_ = prefix_bytes(kLatestVersions);
};

}  // namespace

Result<std::vector<std::int64_t>> segment_prefixes(const StoreView& rows) {
  std::vector<std::int64_t> prefixes;
  StoreView::Scan scan{.to = prefix_bytes(kLatestVersions), .limit = 1};
  while (true) {
    auto first = rows.scan(scan);
    if (!first) return std::unexpected(first.error());
    if (first->empty()) return prefixes;
    const BytesView prefix = BytesView(first->front().key).substr(0, Segments::kPrefixSize);
    if (prefix.size() < Segments::kPrefixSize) {
      return failure(ErrorCode::kCorrupt, "a row of a versioned store has too short a key");
    }
    prefixes.push_back(segment_prefix(prefix));
    scan.from = end_of_prefix(prefix);
  }
}

std::shared_ptr<const StoreView> view_of_latest(std::shared_ptr<const StoreView> rows) {
  return std::make_shared<LatestView>(std::move(rows));
}

}  // namespace thalweg::internal
