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

bool has_statement(const boost::json::object& spec, std::string_view wanted) {
  return std::ranges::any_of(spec.at("nodes").as_array(), [wanted](const auto& statement) {
    return statement.as_object().at("op").as_string() == wanted;
  });
}

bool has_cache(const boost::json::object& spec) {
  const auto* cache = spec.at("config").as_object().if_contains("cache");
  return cache && cache->to_number<std::int64_t>() > 0;
}

bool probes_windows(const boost::json::object& spec) {
  return mentions(spec.at("nodes"), "winProbe") || mentions(spec.at("nodes"), "sesProbe") ||
         mentions(spec.at("nodes"), "winDedup");
}

bool caches_windows(const boost::json::object& spec, const Difference&) {
  return has_cache(spec) && (has_statement(spec, "windowedBy") || probes_windows(spec));
}

bool probes_cached_windows(const boost::json::object& spec, const Difference&) {
  return has_cache(spec) && probes_windows(spec);
}

/// A processor on a store of windows, and the optimizer.
bool optimizes_probes(const boost::json::object& spec, const Difference&) {
  const auto* optimize = spec.at("config").as_object().if_contains("optimize");
  return optimize && optimize->is_string() && probes_windows(spec);
}

bool suppresses(const boost::json::object& spec, const Difference&) {
  return has_statement(spec, "suppress");
}

/// Whether some statement is `op` and has the field.
bool has_statement(const boost::json::object& spec, std::string_view op, std::string_view field) {
  for (const auto& statement : spec.at("nodes").as_array()) {
    const auto& object = statement.as_object();
    const auto* name = object.if_contains("op");
    if (name && name->as_string() == op && object.contains(field)) return true;
  }
  return false;
}

bool looks_up_a_stateful_transformer(const boost::json::object& spec, const Difference&) {
  return has_statement(spec, "transformValues", "stores") &&
         (has_statement(spec, "join", "with") || has_statement(spec, "leftJoin", "with"));
}

bool orders_repartitions_of_a_cogroup(const boost::json::object& spec, const Difference&) {
  const auto* optimize = spec.at("config").as_object().if_contains("optimize");
  return optimize && optimize->as_string() == "all" && mentions(spec.at("nodes"), "cogroup");
}

bool fails_while_flushing(const boost::json::object& spec, const Difference&) {
  const auto* cache = spec.at("config").as_object().if_contains("cache");
  return cache && cache->to_number<std::int64_t>() > 0 && mentions(spec.at("nodes"), "throwMod");
}

constexpr std::string_view kCogroupOrder =
    "when optimised, the groups of a cogroup that need repartitioning are fed in another order";
constexpr std::string_view kFlush =
    "what an operator throws while a record cache is flushed is not wrapped once more";
constexpr std::string_view kTransformer =
    "a transformer that uses a store cannot be looked up: here it is a fault of the topology";
constexpr std::string_view kCachedLru =
    "a store of what was used last has no record cache, which in Kafka Streams goes on showing "
    "entries that the store has forgotten";
constexpr std::string_view kNoOldValue =
    "the first value of an aggregation has no old value, not the initial one: so a suppress buffer "
    "holds less";
constexpr std::string_view kExpiredInCache =
    "a record cache that is never full still shows windows whose segment has expired; here they "
    "go with it";

constexpr std::array kAllowed = {
    AllowedDifference{.section = "outputs", .reason = kCachedLru, .applies = caches_lru},
    AllowedDifference{.section = "order", .reason = kCachedLru, .applies = caches_lru},
    AllowedDifference{.section = "changelog", .reason = kCachedLru, .applies = caches_lru},
    AllowedDifference{.section = "clorder", .reason = kCachedLru, .applies = caches_lru},
    AllowedDifference{.section = "stores", .reason = kCachedLru, .applies = caches_lru},
    AllowedDifference{.section = "stores", .reason = kExpiredInCache, .applies = caches_windows},
    AllowedDifference{
        .section = "outputs", .reason = kExpiredInCache, .applies = probes_cached_windows},
    AllowedDifference{.section = "structure",
                      .reason = "a processor on a store of windows keeps its own repartition topic",
                      .applies = optimizes_probes},
    AllowedDifference{
        .section = "clorder",
        .reason = "what left a suppress buffer is logged in the order of the changes, not in that "
                  "of a Java hash set",
        .applies = suppresses},
    AllowedDifference{.section = "changelog", .reason = kNoOldValue, .applies = suppresses},
    AllowedDifference{.section = "stores", .reason = kNoOldValue, .applies = suppresses},
    AllowedDifference{.section = "metrics", .reason = kNoOldValue, .applies = suppresses},
    AllowedDifference{.section = "repart", .reason = kCachedLru, .applies = caches_lru},
    AllowedDifference{"outputs", kCogroupOrder, orders_repartitions_of_a_cogroup},
    AllowedDifference{"order", kCogroupOrder, orders_repartitions_of_a_cogroup},
    AllowedDifference{"changelog", kCogroupOrder, orders_repartitions_of_a_cogroup},
    AllowedDifference{"clorder", kCogroupOrder, orders_repartitions_of_a_cogroup},
    AllowedDifference{"describe", kCogroupOrder, orders_repartitions_of_a_cogroup},
    AllowedDifference{"error", kFlush, fails_while_flushing},
    AllowedDifference{.section = "metrics", .reason = kCachedLru, .applies = caches_lru},
    AllowedDifference{"error", kTransformer, looks_up_a_stateful_transformer},
};

constexpr std::array<std::string_view, 3> kNotBuilt = {
    "cogrouped windowedBy",
    "windowed table groupBy",
    "windowed table join",
};

}  // namespace

std::span<const AllowedDifference> allowed_differences() { return kAllowed; }
std::span<const std::string_view> statements_not_built() { return kNotBuilt; }

}  // namespace thalweg::golden
