#include "golden/allowed_differences.h"

#include <array>

namespace thalweg::golden {
namespace {

constexpr std::array<AllowedDifference, 0> kAllowed = {};

constexpr std::array<std::string_view, 21> kNotBuilt = {
    "addGlobalStore",
    "explicitNames",
    "globalTable",
    "grace",
    "grouped cogroup",
    "grouped windowedBy",
    "outerJoin",
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
    "versioned",
    "windows",
};

}  // namespace

std::span<const AllowedDifference> allowed_differences() { return kAllowed; }
std::span<const std::string_view> statements_not_built() { return kNotBuilt; }

}  // namespace thalweg::golden
