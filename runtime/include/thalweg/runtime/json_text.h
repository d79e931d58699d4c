#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

#include <thalweg/schemas/error.h>

namespace thalweg {

/// How deep JSON from outside may be nested.
inline constexpr std::size_t kJsonDepthMax = 64;

/// Reads one JSON value of any kind, strictly (RFC 8259, valid UTF-8); every number in it is
/// finite, so that it can be written as JSON again. kInvalid says what is wrong and at which byte.
/// Include <boost/json.hpp> to use the value.
Result<boost::json::value> parse_json(std::string_view text, std::size_t depth_max = kJsonDepthMax);

/// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string_view text, std::string& out);

/// Whether `text` is well-formed UTF-8.
bool is_utf8(std::string_view text);

}  // namespace thalweg
