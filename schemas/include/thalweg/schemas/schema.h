#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <thalweg/schemas/bytes.h>

namespace thalweg {

/// The view of serialised bytes that tools have: bytes to JSON text and back, knowing no C++ type.
///
/// Stateless and safe to use from any thread. Both directions throw SerdeError on input that does
/// not fit; neither ever reads outside its input.
class Schema {
 public:
  virtual ~Schema() = default;

  /// What the bytes are: `i16`, `i32`, `i64`, `f32`, `f64`, `bool`, `string`, `bytes`, `uuid`,
  /// `json`, or a FlatBuffers table's full name.
  virtual std::string_view name() const = 0;
  /// Appends one JSON value, without line breaks. It is valid JSON whatever the bytes: text that
  /// is not UTF-8 has U+FFFD in the wrong places, numbers that JSON has not are the strings "NaN",
  /// "Infinity" and "-Infinity".
  virtual void to_json(BytesView bytes, std::string& out) const = 0;
  /// Appends the bytes of one JSON value. The error names the type and what was wrong.
  virtual void from_json(std::string_view json, std::string& out) const = 0;
  /// How many bytes at the end of a key name its window; 0: it is no windowed key.
  virtual std::size_t window_bytes() const { return 0; }
};

using SchemaPtr = std::shared_ptr<const Schema>;

/// The schema of bytes about which nothing is known: a JSON string in base64.
SchemaPtr bytes_schema();
/// The same for a windowed key: the bytes of a key, then `window_bytes` that name its window.
SchemaPtr windowed_key_schema(std::size_t window_bytes);

}  // namespace thalweg
