#pragma once

#include <string>
#include <string_view>

#include <thalweg/schemas/bytes.h>

namespace thalweg::internal {

/// Appends `text` as a JSON string. Bytes that are not UTF-8 become U+FFFD, so the result is always
/// valid JSON.
void append_json_string(std::string_view text, std::string& out);

/// Appends the shortest number that reads back as the same value; as strings "NaN", "Infinity" and
/// "-Infinity", which JSON has no numbers for.
void append_json_number(double value, std::string& out);
void append_json_number(float value, std::string& out);

/// Throws SerdeError unless `text` is exactly one JSON value, nested at most 64 deep. Allocates
/// nothing for text that is one.
void check_json(std::string_view text);

/// The string that the JSON value `json` is. Throws SerdeError, which names `type`, if it is
/// anything else.
std::string json_string_value(std::string_view type, std::string_view json);

/// `json` without the white space around it.
std::string_view trimmed(std::string_view json);

/// `text` in quotes for an error message: cut after 60 bytes, unprintable bytes as JSON escapes.
std::string quoted_excerpt(std::string_view text);

/// RFC 4648 with padding.
void append_base64(BytesView bytes, std::string& out);
/// Throws SerdeError unless `text` is base64 with padding and no other character.
void append_from_base64(std::string_view text, std::string& out);

}  // namespace thalweg::internal
