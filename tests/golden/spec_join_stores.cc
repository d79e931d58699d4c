#include "golden/spec_join_stores.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>

#include <thalweg/state/versioned_key_value_store.h>
#include <thalweg/state/window_store.h>

#include "golden/spec_values.h"

namespace thalweg::golden {

namespace json = boost::json;

namespace {

constexpr std::size_t kMost = 1'000'000;

/// As Java's Long.toHexString(): without leading zeros.
std::string hash_word(std::string_view bytes) {
  const std::string digits = hex(bytes);
  const auto first = digits.find_first_not_of('0');
  return first == std::string::npos ? "0" : digits.substr(first);
}

std::int64_t number(std::string_view bytes) {
  std::int64_t number = 0;
  Serde<std::int64_t>::deserialize(bytes, number);
  return number;
}

/// What a foreign key join keeps, from its bytes: version and hash's absence, instruction, hash,
/// primary key, partition.
json::object subscriptions(const StoreView& view) {
  json::array entries;
  const auto found = view.scan({.limit = kMost});
  for (const StoredEntry& entry : found.value()) {
    std::string_view rest = entry.value;
    const bool has_hash = (rest.at(0) & 0x80) == 0;
    json::array shown{"hex:" + hex(entry.key), static_cast<std::int64_t>(rest.at(1))};
    rest.remove_prefix(2);
    if (has_hash) {
      shown.push_back(
          json::string(hash_word(rest.substr(0, 8)) + ":" + hash_word(rest.substr(8, 8))));
      rest.remove_prefix(16);
    } else {
      shown.push_back("null");
    }
    std::int32_t partition = 0;
    Serde<std::int32_t>::deserialize(rest.substr(rest.size() - 4), partition);
    shown.push_back(json::string(rest.substr(0, rest.size() - 4)));
    shown.push_back(partition);
    shown.push_back(to_millis(entry.timestamp));
    entries.push_back(std::move(shown));
  }
  return {{"type", "tskv"}, {"entries", std::move(entries)}};
}

/// Records of a join of streams that wait for a partner: `time, side, key` and a list of
/// `side, value`.
json::object waiting(const StoreView& view) {
  std::vector<std::pair<std::string, std::int64_t>> entries;
  const auto found = view.scan({.limit = kMost});
  for (const StoredEntry& entry : found.value()) {
    const std::string key = std::to_string(number(std::string_view(entry.key).substr(0, 8))) +
                            (entry.key.at(8) == '\1' ? "/left/" : "/right/") +
                            entry.key.substr(9);
    constexpr std::size_t kEntry = 4 + 1 + 8;
    for (std::size_t at = 5; at + kEntry <= entry.value.size(); at += kEntry) {
      entries.emplace_back(key, number(std::string_view(entry.value).substr(at + 5, 8)));
    }
  }
  std::ranges::stable_sort(entries, {}, &std::pair<std::string, std::int64_t>::first);
  json::array shown;
  for (const auto& [key, value] : entries) shown.push_back(json::array{key, value});
  return {{"type", "kv"}, {"entries", std::move(shown)}};
}

json::object versions(VersionedKeyValueStore<Key, std::int64_t>& store,
                      const std::set<std::string>& keys) {
  json::array entries;
  for (const std::string& key : keys) {
    for (const auto& version : store.versions(Key(key))) {
      entries.push_back(json::array{
          key, *version.value, to_millis(version.timestamp),
          version.valid_to ? json::value(to_millis(*version.valid_to)) : json::value(nullptr)});
    }
  }
  return {{"type", "versioned"}, {"entries", std::move(entries)}};
}

}  // namespace

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

bool keeps_joined_records(std::string_view store) {
  constexpr std::array<std::string_view, 4> kGenerated = {
      "KSTREAM-JOINTHIS-", "KSTREAM-JOINOTHER-", "KSTREAM-OUTERTHIS-", "KSTREAM-OUTEROTHER-"};
  return store.ends_with("-this-join-store") || store.ends_with("-other-join-store") ||
         std::ranges::any_of(kGenerated, [store](auto name) { return store.starts_with(name); });
}

std::optional<json::object> show_join_store(StateStore& store, const std::set<std::string>& keys) {
  const std::string& name = store.name();
  if (name.find("-FK-JOIN-SUBSCRIPTION-STATE-STORE-") != std::string::npos ||
      name.ends_with("-subscription-store")) {
    return subscriptions(*store.view());
  }
  if (name.starts_with("KSTREAM-OUTERSHARED-") || name.ends_with("-shared-join-store")) {
    return waiting(*store.view());
  }
  if (auto* versioned = dynamic_cast<VersionedKeyValueStore<Key, std::int64_t>*>(&store)) {
    return versions(*versioned, keys);
  }
  return std::nullopt;
}

}  // namespace thalweg::golden
