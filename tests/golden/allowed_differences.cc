#include "golden/allowed_differences.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include <boost/json/array.hpp>

namespace thalweg::golden {
namespace {

/// Whether some statement of the spec runs one of these processors.
bool has_processor(const boost::json::object& spec, std::initializer_list<std::string_view> kinds) {
  for (const auto& statement : spec.at("nodes").as_array()) {
    const auto* processor = statement.as_object().if_contains("proc");
    if (!processor) continue;
    const std::string_view kind = processor->as_object().at("p").as_string();
    if (std::ranges::find(kinds, kind) != kinds.end()) return true;
  }
  return false;
}

bool adds_headers(const boost::json::object& spec, const Difference&) {
  return has_processor(spec, {"tag", "meta"});
}

constexpr std::array kAllowed = {
    AllowedDifference{
        .section = "outputs",
        .reason = "headers that a processor adds are not seen by its siblings",
        .applies = adds_headers},
};

constexpr std::array<std::string_view, 24> kNotBuilt = {
    "addGlobalStore",
    "explicitNames",
    "globalTable",
    "grace",
    "grouped cogroup",
    "grouped windowedBy",
    "outerJoin",
    "partitioner",
    "pattern",
    "store kv",
    "store session",
    "store tswindow",
    "store versioned",
    "store window",
    "supplier",
    "table groupBy",
    "table join",
    "table leftJoin",
    "table outerJoin",
    "table suppress",
    "table transformValues",
    "topicPrefix",
    "versioned",
    "windows",
};

}  // namespace

std::span<const AllowedDifference> allowed_differences() { return kAllowed; }
std::span<const std::string_view> statements_not_built() { return kNotBuilt; }

}  // namespace thalweg::golden
