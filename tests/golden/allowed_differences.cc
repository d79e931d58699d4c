#include "golden/allowed_differences.h"

#include <algorithm>
#include <array>

#include <boost/json/array.hpp>

namespace thalweg::golden {
namespace {

/// Whether some part of it has `supplier: true`.
bool mentions_supplier(const boost::json::value& value) {
  if (const auto* array = value.if_array()) return std::ranges::any_of(*array, mentions_supplier);
  const auto* object = value.if_object();
  if (!object) return false;
  return std::ranges::any_of(*object, [](const auto& member) {
    return (member.key() == "supplier" && member.value() == true) ||
           mentions_supplier(member.value());
  });
}

/// A store under a name that no topic may have. `Materialized.as(name)` checks it at once; that of
/// a store supplier is only checked when the changelog topic is made, which no test driver does.
bool names_a_supplied_store_badly(const boost::json::object& spec, const Difference&) {
  const auto* invalid = spec.if_contains("invalid");
  return invalid && invalid->as_string() == "badname" && mentions_supplier(spec.at("nodes"));
}

/// Sessions of one key that end at the same time: the record cache of Kafka Streams has the one
/// that starts first in front, its store in memory the one that starts last, so where the two are
/// merged a session is shown twice. Here each is shown once.
bool caches_sessions_in_memory(const boost::json::object& spec, const Difference&) {
  return std::ranges::any_of(spec.at("nodes").as_array(), [](const boost::json::value& node) {
    const auto* store = node.as_object().if_contains("store");
    if (!store || !store->is_object()) return false;
    const auto is = [store](std::string_view key, const boost::json::value& value) {
      const auto* found = store->as_object().if_contains(key);
      return found && *found == value;
    };
    return is("kind", "session") && is("type", "memory") && is("caching", true);
  });
}
constexpr std::string_view kSessionTwice = "a session in a cached store in memory is shown twice";

constexpr std::array kAllowed = {
    AllowedDifference{
        .section = "outputs", .reason = kSessionTwice, .applies = caches_sessions_in_memory},
    AllowedDifference{
        .section = "stores", .reason = kSessionTwice, .applies = caches_sessions_in_memory},
    AllowedDifference{.section = "error",
                      .reason = "a store's name is checked at once, not when its changelog is made",
                      .applies = names_a_supplied_store_badly},
};

}  // namespace

std::span<const AllowedDifference> allowed_differences() { return kAllowed; }
std::span<const std::string_view> statements_not_built() { return {}; }

}  // namespace thalweg::golden
