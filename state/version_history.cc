// The parts of versioned stores that do not depend on types: bytes of histories, and views.

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <utility>

#include <thalweg/state/internal/history_serde.h>
#include <thalweg/state/internal/typed_store_builder.h>
#include <thalweg/state/internal/version_view.h>

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

BytesView HistoryBytes::take(std::size_t size) {
  if (rest_.size() < size) throw SerdeError("a history ends too soon");
  const BytesView taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::uint8_t HistoryBytes::byte() { return static_cast<std::uint8_t>(take(1).front()); }

std::int64_t HistoryBytes::time() {
  std::int64_t time = 0;
  read_big_endian<std::uint64_t>(take(sizeof time), time, "time");
  return time;
}

std::uint32_t HistoryBytes::number() {
  std::uint32_t number = 0;
  read_big_endian<std::uint32_t>(take(sizeof number), number, "number");
  return number;
}

BytesView HistoryBytes::value() { return take(number()); }

void HistoryBytes::append(std::int64_t time, std::string& out) {
  append_big_endian<std::uint64_t>(time, out);
}

void HistoryBytes::append(std::uint32_t number, std::string& out) {
  append_big_endian<std::uint32_t>(number, out);
}

namespace {

/// The latest version in the bytes of a history, if there is one.
Result<std::optional<StoredEntry>> latest_of(StoredEntry entry) {
  try {
    HistoryBytes history(entry.value);
    if (history.byte() == 0) return std::optional<StoredEntry>();
    entry.timestamp = from_millis(history.time());
    entry.value = std::string(history.value());
    return std::optional<StoredEntry>(std::move(entry));
  } catch (const SerdeError& error) {
    return failure(ErrorCode::kCorrupt, error.what());
  }
}

class LatestView final : public StoreView {
 public:
  explicit LatestView(std::shared_ptr<const StoreView> histories)
      : histories_(std::move(histories)) {}

  Result<std::optional<StoredEntry>> get(BytesView key) const override {
    auto entry = histories_->get(key);
    if (!entry || !entry->has_value()) return entry;
    return latest_of(**std::move(entry));
  }

  Result<std::vector<StoredEntry>> scan(const Scan& scan) const override {
    std::vector<StoredEntry> found;
    Scan rest = scan;
    while (true) {
      auto page = histories_->scan(rest);
      if (!page) return page;
      const bool is_last = page->size() < rest.limit;
      for (StoredEntry& entry : *page) {
        if (scan.reverse) {
          rest.to = entry.key;
        } else {
          rest.from = entry.key + '\0';
        }
        auto latest = latest_of(std::move(entry));
        if (!latest) return std::unexpected(latest.error());
        if (*latest) found.push_back(**std::move(latest));
        if (found.size() == scan.limit) return found;
      }
      if (is_last) return found;
    }
  }

  std::uint64_t approximate_entries() const override {
    return histories_->approximate_entries();
  }
  CommitSequence last_commit() const override { return histories_->last_commit(); }

 private:
  std::shared_ptr<const StoreView> histories_;
};

}  // namespace

std::shared_ptr<const StoreView> view_of_latest(std::shared_ptr<const StoreView> histories) {
  return std::make_shared<LatestView>(std::move(histories));
}

}  // namespace thalweg::internal
