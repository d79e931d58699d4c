#pragma once

#include <span>
#include <string_view>

#include <boost/json/object.hpp>

#include "golden/spec_comparison.h"

namespace thalweg::golden {

/// A way in which results may be unlike those of Kafka Streams. Each says why; none names a seed.
struct AllowedDifference {
  std::string_view section;
  std::string_view reason;
  /// Whether a difference in that section of this spec's result is of this kind.
  bool (*applies)(const boost::json::object& spec, const Difference& difference);
};

std::span<const AllowedDifference> allowed_differences();

/// Statements and options of the spec language that the DSL does not have yet. Specs with one of
/// them are not compared; the suite counts them, and fails when one that is listed works.
std::span<const std::string_view> statements_not_built();

}  // namespace thalweg::golden
