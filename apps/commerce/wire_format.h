#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/schemas/bytes.h>

namespace thalweg {
class StreamsConfigBuilder;
}

// Public topics carry JSON, or FlatBuffers where `wire.format.<topic>` says so: a table `Message`
// (schemas/message.fbs) whose body has the same fields. Readers take both.
namespace thalweg::shop {

/// The header of a record that is not JSON says what it is.
inline constexpr std::string_view kContentType = "content-type";
inline constexpr std::string_view kFlatBuffersType = "application/flatbuffers; table=Message";

/// `{...}` as a message; none if it is no JSON object.
std::optional<std::string> message_of(BytesView json);
/// The same back; members come in the order of their names. None if it is no message, or a damaged
/// one.
std::optional<std::string> json_of(BytesView message);
/// Whether the bytes say that they are a message.
bool is_message(BytesView value);

bool is_public(std::string_view topic);

/// `wire.format.<topic>` of every public topic.
std::vector<std::string> wire_format_keys();
/// The topics that are written as FlatBuffers. Throws ConfigError for a value that is neither
/// `json` nor `flatbuffers`.
std::set<std::string> read_wire_formats(const StreamsConfigBuilder& settings);

}  // namespace thalweg::shop
