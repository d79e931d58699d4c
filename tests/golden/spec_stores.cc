#include "golden/spec_stores.h"

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>

#include <thalweg/state/change_buffer.h>
#include <thalweg/state/record_buffer.h>
#include <thalweg/state/stores.h>

#include "golden/spec_topology.h"

namespace thalweg::golden {

namespace json = boost::json;

namespace {

/// The entries that a walk shows, by key, start and end.
template <typename Iterator>
json::array entries_of(std::unique_ptr<Iterator> walk, bool timestamped) {
  std::vector<std::tuple<std::string, std::int64_t, std::int64_t, json::array>> entries;
  for (; walk->valid(); walk->next()) {
    const auto& [key, window] = walk->key();
    const std::string text = shown(key).text();
    const auto start = to_millis(window.start);
    const auto end = to_millis(window.end);
    json::array entry{text, start, end, walk->value().value};
    if (timestamped) entry.push_back(to_millis(walk->value().timestamp));
    entries.emplace_back(text, start, end, std::move(entry));
  }
  std::ranges::stable_sort(entries, {}, [](const auto& entry) {
    return std::tie(std::get<0>(entry), std::get<1>(entry), std::get<2>(entry));
  });
  json::array all;
  for (auto& entry : entries) all.push_back(std::move(std::get<3>(entry)));
  return all;
}

/// Kafka Streams has no window without a length, so it cannot show what a store of such holds.
json::object unless_without_length(WindowStore<Key, std::int64_t>& windows, json::object shown) {
  const auto first = windows.all();
  if (!first->valid() || first->key().window.end > first->key().window.start) return shown;
  return {{"type", "unreadable"}, {"error", "IllegalArgumentException"}};
}

}  // namespace

json::object windowed_store(StateStore& store, bool timestamped) {
  json::object out;
  if (auto* windows = dynamic_cast<WindowStore<Key, std::int64_t>*>(&store)) {
    out["type"] = timestamped ? "tswindow" : "window";
    out["entries"] = entries_of(windows->all(), timestamped);
    return unless_without_length(*windows, std::move(out));
  } else if (auto* joined = dynamic_cast<WindowStore<Windowed<Key>, std::int64_t>*>(&store)) {
    out["type"] = "window";
    out["entries"] = entries_of(joined->all(), false);
  } else if (auto* sessions = dynamic_cast<SessionStore<Key, std::int64_t>*>(&store)) {
    out["type"] = "session";
    out["entries"] = entries_of(sessions->fetch(std::nullopt, std::nullopt, false), false);
  } else if (auto* rows = dynamic_cast<KeyValueStore<Windowed<Key>, std::int64_t>*>(&store)) {
    std::vector<std::pair<std::string, json::array>> entries;
    for (auto row = rows->all(); row->valid(); row->next()) {
      std::string key = shown(row->key()).text();
      entries.emplace_back(key,
                           json::array{key, row->value().value, to_millis(row->value().timestamp)});
    }
    std::ranges::sort(entries, {}, &std::pair<std::string, json::array>::first);
    json::array all;
    for (auto& entry : entries) all.push_back(std::move(entry.second));
    out["type"] = "tskv";
    out["entries"] = std::move(all);
  } else if (auto* held = dynamic_cast<RecordBuffer*>(&store)) {
    out["type"] = "buffer";
    out["records"] = held->records();
  } else if (auto* buffer = dynamic_cast<ChangeBuffer*>(&store)) {
    out["type"] = "buffer";
    out["records"] = buffer->records();
    out["bytes"] = buffer->bytes();
    if (buffer->records() > 0) out["min_ts"] = to_millis(buffer->min_time());
  }
  return out;
}

}  // namespace thalweg::golden
