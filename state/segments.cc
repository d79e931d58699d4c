#include <algorithm>
#include <stdexcept>

#include <thalweg/schemas/check.h>
#include <thalweg/schemas/error.h>
#include <thalweg/state/stores.h>

#include "big_endian.h"

namespace thalweg::internal {

std::int64_t Segments::time_of(BytesView key) const {
  THALWEG_CHECK(keys != Keys::kVersions, "rows of versions have no time");
  return read_big_endian<std::int64_t>(key.substr(key.size() - suffix_size()));
}

std::int64_t Segments::start_of(BytesView key) const {
  return read_big_endian<std::int64_t>(key.substr(key.size() - sizeof(std::int64_t)));
}

std::int32_t Segments::sequence_of(BytesView key) const {
  return read_big_endian<std::int32_t>(key.substr(key.size() - sizeof(std::int32_t)));
}

void Segments::append_stored(BytesView changelog_key, std::string& out) const {
  if (changelog_key.size() < suffix_size()) {
    throw SerdeError("a windowed key needs at least " + std::to_string(suffix_size()) +
                     " bytes, got " + std::to_string(changelog_key.size()));
  }
  append_prefix(prefix_of(time_of(changelog_key)), out);
  out.append(changelog_key);
}

void Segments::append_prefix(std::int64_t prefix, std::string& out) {
  append_big_endian(prefix, out);
}

std::int64_t Segments::prefix_in(BytesView stored_key) {
  return read_big_endian<std::int64_t>(stored_key);
}

Segments plan_segments(const std::string& name, Segments::Keys keys,
                       const WindowStoreOptions& windows, bool persistent) {
  using std::chrono::milliseconds;
  constexpr milliseconds kShortest = std::chrono::minutes(1);
  const auto refuse = [&name](const std::string& what) {
    throw std::invalid_argument("store " + name + ": " + what);
  };
  if (windows.retention < milliseconds(0)) refuse("the retention cannot be negative");
  if (windows.window_size < milliseconds(0)) refuse("the window size cannot be negative");
  if (windows.window_size > windows.retention) {
    refuse("the retention of " + std::to_string(windows.retention.count()) +
           " ms is less than the window size of " + std::to_string(windows.window_size.count()) +
           " ms");
  }
  const auto interval =
      windows.segment_interval.value_or(std::max(windows.retention / 2, kShortest));
  if (interval < milliseconds(1)) refuse("the segment interval must be at least 1 ms");
  return {.keys = keys,
          .retention = windows.retention.count(),
          .interval = interval.count(),
          .by_time = windows.time_ordered,
          .exact_expiry = !persistent};
}

StoreOptions windowed_changelog(StoreOptions options, std::chrono::milliseconds retention) {
  constexpr std::chrono::milliseconds kBehind = std::chrono::hours(24);
  const auto add = [&options](const char* key, std::string value) {
    const auto has_key = [key](const auto& entry) { return entry.first == key; };
    if (std::ranges::any_of(options.changelog_config, has_key)) return;
    options.changelog_config.emplace_back(key, std::move(value));
  };
  add("cleanup.policy", "compact,delete");
  add("retention.ms", std::to_string((after(Timestamp{retention}, kBehind) - Timestamp{}).count()));
  return options;
}

}  // namespace thalweg::internal
