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

constexpr std::array kAllowed = {
    AllowedDifference{.section = "error",
                      .reason = "a store's name is checked at once, not when its changelog is made",
                      .applies = names_a_supplied_store_badly},
};

}  // namespace

std::span<const AllowedDifference> allowed_differences() { return kAllowed; }
std::span<const std::string_view> statements_not_built() { return {}; }

}  // namespace thalweg::golden
