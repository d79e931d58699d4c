#include "wire_format.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include <boost/json.hpp>
#include <flatbuffers/flexbuffers.h>

#include <thalweg/runtime/json_text.h>
#include <thalweg/runtime/streams_config.h>

#include "message_generated.h"
#include "topics.h"

namespace thalweg::shop {
namespace {

namespace json = boost::json;

constexpr std::string_view kPrefix = "wire.format.";
constexpr std::string_view kFlatBuffers = "flatbuffers";
constexpr std::size_t kLeastBody = 3;  // A root of one byte, its type and its width.

/// False for what a message cannot hold: a name with a zero byte in it.
bool add(flexbuffers::Builder& builder, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      builder.Null();
      break;
    case json::kind::bool_:
      builder.Bool(value.get_bool());
      break;
    case json::kind::int64:
      builder.Int(value.get_int64());
      break;
    case json::kind::uint64:
      builder.UInt(value.get_uint64());
      break;
    case json::kind::double_:
      builder.Double(value.get_double());
      break;
    case json::kind::string:
      builder.String(value.get_string().data(), value.get_string().size());
      break;
    case json::kind::array: {
      const auto start = builder.StartVector();
      const auto& items = value.get_array();
      if (!std::ranges::all_of(items, [&](const auto& item) { return add(builder, item); })) {
        return false;
      }
      builder.EndVector(start, false, false);
      break;
    }
    case json::kind::object: {
      const auto start = builder.StartMap();
      for (const auto& [name, member] : value.get_object()) {
        if (name.find('\0') != name.npos) return false;
        builder.Key(name.data(), name.size());
        if (!add(builder, member)) return false;
      }
      builder.EndMap(start);
      break;
    }
  }
  return true;
}

/// The bytes where numbers lie as they should: a record may lie anywhere.
std::span<const std::uint8_t> aligned(const void* bytes, std::size_t size,
                                      std::vector<std::uint64_t>& memory) {
  memory.resize(size / sizeof(std::uint64_t) + 1);
  std::memcpy(memory.data(), bytes, size);
  return {reinterpret_cast<const std::uint8_t*>(memory.data()), size};
}

void append(flexbuffers::Reference value, std::string& out);

template <typename Values, typename Append>
void append_list(const Values& values, char open, char close, std::string& out, Append append_one) {
  out += open;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    append_one(i);
  }
  out += close;
}

void append_map(const flexbuffers::Map& map, std::string& out) {
  const auto keys = map.Keys();
  const auto values = map.Values();
  append_list(values, '{', '}', out, [&](std::size_t i) {
    append_json_string(keys[i].AsKey(), out);
    out += ':';
    append(values[i], out);
  });
}

void append(flexbuffers::Reference value, std::string& out) {
  if (value.IsMap()) return append_map(value.AsMap(), out);
  if (value.IsAnyVector()) {
    const auto items = value.AsVector();
    return append_list(items, '[', ']', out, [&](std::size_t i) { append(items[i], out); });
  }
  if (value.IsString()) return append_json_string(value.AsString().str(), out);
  if (value.IsBool()) {
    out += value.AsBool() ? "true" : "false";
  } else if (value.IsInt()) {
    out += std::to_string(value.AsInt64());
  } else if (value.IsUInt()) {
    out += std::to_string(value.AsUInt64());
  } else if (value.IsFloat()) {
    out += json::serialize(json::value(value.AsDouble()));
  } else {
    out += "null";
  }
}

}  // namespace

std::optional<std::string> message_of(BytesView text) {
  const auto value = parse_json(text);
  if (!value || !value->is_object()) return {};
  flexbuffers::Builder body;
  if (!add(body, *value)) return {};
  body.Finish();
  thread_local flatbuffers::FlatBufferBuilder builder;
  builder.Clear();
  // A reader in another language may look at the body's numbers where they are.
  builder.ForceVectorAlignment(body.GetSize(), sizeof(std::uint8_t), sizeof(std::uint64_t));
  const auto bytes = builder.CreateVector(body.GetBuffer());
  fb::FinishMessageBuffer(builder, fb::CreateMessage(builder, bytes));
  return std::string(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
}

bool is_message(BytesView value) {
  return value.size() >= 2 * sizeof(flatbuffers::uoffset_t) &&
         fb::MessageBufferHasIdentifier(value.data());
}

std::optional<std::string> json_of(BytesView message) {
  if (!is_message(message)) return {};
  thread_local std::vector<std::uint64_t> message_memory, body_memory;
  const auto bytes = aligned(message.data(), message.size(), message_memory);
  flatbuffers::Verifier verifier(bytes.data(), bytes.size());
  if (!fb::VerifyMessageBuffer(verifier)) return {};  // The body too.
  const auto* body = fb::GetMessage(bytes.data())->body();
  if (!body || body->size() < kLeastBody) return {};
  const auto fields = aligned(body->data(), body->size(), body_memory);
  const auto root = flexbuffers::GetRoot(fields.data(), fields.size());
  if (!root.IsMap()) return {};
  std::string text;
  append_map(root.AsMap(), text);
  return text;
}

bool is_public(std::string_view topic) {
  return std::ranges::find(topics::kPublic, topic) != topics::kPublic.end();
}

std::vector<std::string> wire_format_keys() {
  std::vector<std::string> keys;
  for (const char* topic : topics::kPublic) keys.push_back(std::string(kPrefix) + topic);
  return keys;
}

std::set<std::string> read_wire_formats(const StreamsConfigBuilder& settings) {
  std::set<std::string> written_so;
  for (const char* topic : topics::kPublic) {
    const std::string key = std::string(kPrefix) + topic;
    const std::string value = settings.application_value(key);
    if (value == kFlatBuffers) {
      written_so.insert(topic);
    } else if (!value.empty() && value != "json") {
      throw ConfigError(key + " is " + value + "; it can be json or flatbuffers");
    }
  }
  return written_so;
}

}  // namespace thalweg::shop
