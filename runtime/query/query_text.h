#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <thalweg/schemas/error.h>
#include <thalweg/schemas/schema.h>

namespace thalweg::internal {

/// The bytes of a key as a request writes it, by the schema of the store: `i64:42`, `b64:...`,
/// `json:...`, `str:...`, or the bare text. kInvalid says what would be right.
Result<std::string> parse_key(std::string_view text, const Schema& schema);
/// The bytes that keys begin with; only strings and `b64:` have such a beginning.
Result<std::string> parse_key_prefix(std::string_view text, const Schema& schema);
/// The smallest key that is larger than every key with that prefix; nothing when there is none.
std::optional<std::string> after_prefix(std::string prefix);

/// Base64 with or without padding, of either alphabet; absent when it is not.
std::optional<std::string> decode_base64(std::string_view text);
/// `url`: the alphabet that needs no percent-encoding, without padding.
void append_base64(std::string_view bytes, bool url, std::string& out);

/// Whether `text` is exactly one JSON value, nested at most 64 deep.
Status check_json_text(std::string_view text);
/// The members of a JSON object that check_json_text() passed: names decoded, values as they stand.
/// Absent when it is no object.
std::optional<std::vector<std::pair<std::string, std::string_view>>> json_members(
    std::string_view object);
/// The elements of such a JSON array, as they stand; absent when it is none.
std::optional<std::vector<std::string_view>> json_elements(std::string_view array);
/// The text of such a JSON string; absent when it is none.
std::optional<std::string> json_string(std::string_view json);
std::string_view trimmed_json(std::string_view json);

std::optional<std::int64_t> parse_integer(std::string_view text);

/// Whether an Accept header names that media type itself, and not with `q=0`, which refuses it.
bool names_media_type(std::string_view accept, std::string_view type);

/// Appends the bytes as JSON by the schema; bytes that do not fit it, text that is not UTF-8 among
/// them, as base64, as nothing may keep a row from being shown. Returns false then.
bool append_by_schema(const Schema& schema, std::string_view bytes, std::string& out);

}  // namespace thalweg::internal
