#pragma once

#include <string>
#include <string_view>

#include <thalweg/schemas/schema.h>

namespace thalweg::internal {

/// The JSON view of a table by a binary schema that comes from outside; null when that is damaged
/// or has no such table.
SchemaPtr described_schema(std::string_view name, std::string binary);

}  // namespace thalweg::internal
