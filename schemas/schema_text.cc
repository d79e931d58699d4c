#include <thalweg/schemas/ids.h>
#include <thalweg/schemas/json.h>
#include <thalweg/schemas/schema_text.h>
#include <thalweg/schemas/serde.h>

#include "flatbuffers_schema.h"

namespace thalweg {

SchemaPtr schema_of(std::string_view name, std::string binary) {
  if (!binary.empty()) return internal::described_schema(name, std::move(binary));
  for (const auto& schema :
       {Serde<std::int16_t>::schema(), Serde<std::int32_t>::schema(), Serde<std::int64_t>::schema(),
        Serde<float>::schema(), Serde<double>::schema(), Serde<bool>::schema(),
        Serde<std::string>::schema(), Serde<Uuid>::schema(), Serde<JsonText>::schema(),
        bytes_schema()}) {
    if (schema->name() == name) return schema;
  }
  return nullptr;
}

}  // namespace thalweg
