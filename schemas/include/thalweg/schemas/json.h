#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>

#include <thalweg/schemas/serde.h>

namespace thalweg {

/// One JSON document as UTF-8 text, kept as it was written: a payload whose shape is not known at
/// compile time, or that is only passed on.
///
/// The bytes on the wire are the text itself. Reading checks that it is exactly one JSON value,
/// nested at most 64 deep, and builds nothing.
struct JsonText {
  std::string text = "null";

  friend auto operator<=>(const JsonText&, const JsonText&) = default;
};

template <>
struct Serde<JsonText> {
  static void serialize(const JsonText& value, std::string& out) { out.append(value.text); }
  static void deserialize(BytesView bytes, JsonText& out);
  static SchemaPtr schema();
};

}  // namespace thalweg

template <>
struct std::hash<thalweg::JsonText> {
  std::size_t operator()(const thalweg::JsonText& json) const noexcept {
    return std::hash<std::string>{}(json.text);
  }
};
