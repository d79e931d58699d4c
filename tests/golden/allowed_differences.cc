#include "golden/allowed_differences.h"

#include <algorithm>
#include <array>

#include <boost/json/array.hpp>

namespace thalweg::golden {
namespace {

bool mentions(const boost::json::value& value, std::string_view text) {
  if (value.is_string()) return value.as_string() == text;
  const auto* object = value.if_object();
  const auto* array = value.if_array();
  if (array) return std::ranges::any_of(*array, [&](const auto& v) { return mentions(v, text); });
  return object && std::ranges::any_of(*object, [&](const auto& member) {
           return mentions(member.value(), text);
         });
}

/// A store that keeps what was used last, and a record cache.
bool caches_lru(const boost::json::object& spec, const Difference&) {
  const auto* cache = spec.at("config").as_object().if_contains("cache");
  return cache && cache->to_number<std::int64_t>() > 0 && mentions(spec.at("nodes"), "lru");
}

constexpr std::string_view kCachedLru =
    "a store of what was used last has no record cache, which in Kafka Streams goes on showing "
    "entries that the store has forgotten";

constexpr std::array kAllowed = {
    AllowedDifference{.section = "outputs", .reason = kCachedLru, .applies = caches_lru},
    AllowedDifference{.section = "order", .reason = kCachedLru, .applies = caches_lru},
    AllowedDifference{.section = "changelog", .reason = kCachedLru, .applies = caches_lru},
    AllowedDifference{.section = "clorder", .reason = kCachedLru, .applies = caches_lru},
    AllowedDifference{.section = "stores", .reason = kCachedLru, .applies = caches_lru},
};

constexpr std::array<std::string_view, 18> kNotBuilt = {
    "addGlobalStore",
    "globalTable",
    "grace",
    "grouped cogroup",
    "grouped windowedBy",
    "outerJoin",
    "store session",
    "store tswindow",
    "store versioned",
    "store window",
    "table groupBy",
    "table join",
    "table leftJoin",
    "table outerJoin",
    "table suppress",
    "table transformValues",
    "versioned",
    "windows",
};

}  // namespace

std::span<const AllowedDifference> allowed_differences() { return kAllowed; }
std::span<const std::string_view> statements_not_built() { return kNotBuilt; }

}  // namespace thalweg::golden
