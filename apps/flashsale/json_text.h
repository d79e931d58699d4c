#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace thalweg::flashsale {

// Reads single values out of JSON text without building a tree: an answer is read once, for one or
// two fields. Text that is not JSON gives nullopt or an empty list, never a fault; a value is
// returned as the text it is written in.

/// The value of the member `key` of the object `object`, not of objects inside it.
std::optional<std::string_view> json_member(std::string_view object, std::string_view key);

/// The elements of the array `array`; empty if it is not one.
std::vector<std::string_view> json_elements(std::string_view array);

/// The members of the object `object` as pairs of raw key (without quotes) and value.
std::vector<std::pair<std::string_view, std::string_view>> json_members(std::string_view object);

std::optional<std::int64_t> json_integer(std::string_view value);
/// The text of a string value, with its escapes resolved (\u beyond ASCII as UTF-8).
std::optional<std::string> json_string(std::string_view value);

/// Member access in one step.
std::optional<std::int64_t> json_integer_member(std::string_view object, std::string_view key);
std::optional<std::string> json_string_member(std::string_view object, std::string_view key);

/// Appends `text` as a JSON string, quoted and escaped.
void append_json_string(std::string& out, std::string_view text);

}  // namespace thalweg::flashsale
