#pragma once

#include <string>
#include <string_view>

#include <thalweg/schemas/schema.h>

namespace thalweg {

// A schema as data: its name, and for a FlatBuffers table the binary schema that flatc made. So
// what a program once wrote can be read by another that has none of its types.

/// The binary schema of a FlatBuffers table; empty for every other schema. Valid as long as
/// `schema`.
BytesView binary_schema(const Schema& schema);

/// The schema of that name; `binary` is empty, or what binary_schema() gave. Null when the name is
/// none that Schema::name() says, or the binary schema is damaged or has no such table.
///
/// A table's bytes are verified by reflection, within the limits of our own messages.
SchemaPtr schema_of(std::string_view name, std::string binary);

}  // namespace thalweg
