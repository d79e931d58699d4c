#include "query/record_json.h"

#include <limits>

#include <thalweg/runtime/json_text.h>
#include <thalweg/schemas/serde.h>

#include "query/query_text.h"

namespace thalweg::internal {

namespace {

// The last millisecond of the year 9999. Times are added to, and written as dates of four digits.
constexpr std::int64_t kLatestTime = 253'402'300'799'999;

std::unexpected<Error> wrong(std::string_view field, std::string_view what) {
  return failure(ErrorCode::kInvalid, std::string(field) + ": " + std::string(what));
}

Result<std::string> from_base64(std::string_view field, std::string_view json) {
  const auto text = json_string(json);
  auto bytes = text ? decode_base64(*text) : std::nullopt;
  if (!bytes) return wrong(field, "is not a string of base64");
  return *std::move(bytes);
}

// Strings are their text for topics of text, and everything else is JSON as it is written.
Result<std::optional<std::string>> payload(std::string_view field, std::string_view json,
                                           const SchemaPtr& schema, bool base64) {
  if (json == "null") return std::nullopt;
  if (base64) return from_base64(field, json);
  const bool text = !schema || schema->name() == "string";
  if (text) {
    if (auto string = json_string(json)) return *std::move(string);
    return std::string(json);
  }
  std::string bytes;
  try {
    schema->from_json(json, bytes);
  } catch (const SerdeError& error) {
    return wrong(field, error.what());
  }
  return bytes;
}

Result<Header> read_header(std::string_view json) {
  const auto members = json_members(json);
  if (!members) return wrong("headers", "each is an object with key and value");
  Header header;
  std::string_view value = "null";
  bool base64 = false;
  for (const auto& [name, text] : *members) {
    if (name == "key") {
      auto key = json_string(text);
      if (!key) return wrong("headers", "a key is not a string");
      header.key = *std::move(key);
    } else if (name == "value") {
      value = text;
    } else if (name == "value_encoding") {
      base64 = json_string(text) == "base64";
      if (!base64) return wrong("headers", "the only value_encoding is \"base64\"");
    } else {
      return wrong("headers", "unknown member '" + name + "'");
    }
  }
  auto bytes = payload("headers", value, nullptr, base64);
  if (!bytes) return std::unexpected(bytes.error());
  header.value = *std::move(bytes);
  return header;
}

// `{"name": "value"}`, or `[{"key": "name", "value": "value"}]` when names repeat.
Result<Headers> read_headers(std::string_view json) {
  Headers headers;
  if (json == "null") return headers;
  if (const auto members = json_members(json)) {
    for (const auto& [name, text] : *members) {
      auto value = payload("headers", text, nullptr, false);
      if (!value) return std::unexpected(value.error());
      headers.add(name, *std::move(value));
    }
    return headers;
  }
  const auto elements = json_elements(json);
  if (!elements) return wrong("headers", "is neither an object nor an array");
  for (const auto element : *elements) {
    auto header = read_header(element);
    if (!header) return std::unexpected(header.error());
    headers.add(std::move(header->key), std::move(header->value));
  }
  return headers;
}

// The members of a record object before their meaning depends on one another.
struct RawRecord {
  std::string_view key = "null";
  std::string_view value = "null";
  bool has_value = false;
  bool key_base64 = false;
  bool value_base64 = false;
};

Status read_member(std::string_view name, std::string_view json, RawRecord& raw,
                   PostedRecord& record) {
  if (name == "key") {
    raw.key = json;
  } else if (name == "value") {
    raw.value = json;
    raw.has_value = true;
  } else if (name == "key_encoding" || name == "value_encoding") {
    if (json_string(json) != "base64") return wrong(name, "the only encoding is \"base64\"");
    (name == "key_encoding" ? raw.key_base64 : raw.value_base64) = true;
  } else if (name == "headers") {
    auto headers = read_headers(json);
    if (!headers) return std::unexpected(headers.error());
    record.headers = *std::move(headers);
  } else if (name == "timestamp") {
    const auto millis = parse_integer(json);
    if (!millis || *millis < 0) return wrong(name, "is not a number of milliseconds since 1970");
    if (*millis > kLatestTime) return wrong(name, "is behind the year 9999");
    record.timestamp = from_millis(*millis);
  } else if (name == "partition") {
    const auto partition = parse_integer(json);
    if (!partition || *partition < 0 || *partition > std::numeric_limits<std::int32_t>::max()) {
      return wrong(name, "is not a partition's number");
    }
    record.partition = static_cast<std::int32_t>(*partition);
  } else if (name != "offset" && name != "topic") {  // What reading a topic shows may be posted.
    return wrong(name,
                 "is no member of a record; it has key, value, headers, timestamp, partition");
  }
  return {};
}

Result<PostedRecord> read_record(std::string_view json, const TopicSchemasRef& schemas) {
  const auto members = json_members(json);
  if (!members) {
    return failure(ErrorCode::kInvalid, "a record is an object with key and value");
  }
  PostedRecord record;
  RawRecord raw;
  for (const auto& [name, text] : *members) {
    if (auto status = read_member(name, text, raw, record); !status) {
      return std::unexpected(status.error());
    }
  }
  if (!raw.has_value) return wrong("value", "is missing; null makes a tombstone");
  auto key = payload("key", raw.key, schemas.key, raw.key_base64);
  if (!key) return std::unexpected(key.error());
  auto value = payload("value", raw.value, schemas.value, raw.value_base64);
  if (!value) return std::unexpected(value.error());
  record.key = *std::move(key);
  record.value = *std::move(value);
  return record;
}

// The lines that are not blank; empty when the first is not JSON by itself, so this is no NDJSON.
std::vector<std::string_view> ndjson_lines(std::string_view body, bool declared) {
  std::vector<std::string_view> lines;
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    const auto line = trimmed_json(body.substr(0, end));
    body.remove_prefix(std::min(end + 1, body.size()));
    if (!line.empty()) lines.push_back(line);
  }
  const bool guessed = lines.size() > 1 && lines[0].starts_with('{') && check_json_text(lines[0]);
  return declared || guessed ? lines : std::vector<std::string_view>{};
}

Result<PostedRecords> read_all(const std::vector<std::string_view>& texts, bool check,
                               const TopicSchemasRef& schemas) {
  PostedRecords posted;
  posted.records.reserve(texts.size());
  for (const auto text : texts) {
    const auto where = "record " + std::to_string(posted.records.size() + 1) + " of " +
                       std::to_string(texts.size()) + ": ";
    if (check) {
      if (auto valid = check_json_text(text); !valid) {
        return failure(ErrorCode::kInvalid, where + valid.error().message);
      }
    }
    auto record = read_record(text, schemas);
    if (!record) return failure(ErrorCode::kInvalid, where + record.error().message);
    posted.records.push_back(*std::move(record));
  }
  return posted;
}

bool append_payload(const std::optional<std::string>& bytes, const SchemaPtr& schema,
                    std::string& out) {
  if (!bytes) {
    out += "null";
    return true;
  }
  if (schema) {
    const auto before = out.size();
    if (append_by_schema(*schema, *bytes, out)) return true;
    out.resize(before);
  }
  if (!is_utf8(*bytes)) {
    out += '"';
    append_base64(*bytes, false, out);
    out += '"';
    return false;
  }
  const auto text = trimmed_json(*bytes);
  const bool json = (text.starts_with('{') || text.starts_with('[')) && check_json_text(text);
  if (json) {
    out += text;
  } else {
    append_json_string(*bytes, out);
  }
  return true;
}

void append_headers(const std::string& encoded, std::string& out) {
  if (encoded.empty()) return;
  out += R"(,"headers":[)";
  try {
    for (const auto& header : Headers::decode(encoded)) {
      if (out.back() == '}') out += ',';
      out += R"({"key":)";
      append_json_string(header.key, out);
      out += R"(,"value":)";
      const bool text = !header.value || is_utf8(*header.value);
      if (!header.value) {
        out += "null";
      } else if (text) {
        append_json_string(*header.value, out);
      } else {
        out += '"';
        append_base64(*header.value, false, out);
        out += R"(","value_encoding":"base64)";
        out += '"';
      }
      out += '}';
    }
  } catch (const SerdeError&) {
    // Shown as none: they are not what any log writes.
  }
  out += ']';
}

}  // namespace

Result<PostedRecords> read_posted(std::string_view body, std::string_view content_type,
                                  const TopicSchemasRef& schemas) {
  const bool declared = content_type.find("ndjson") != std::string_view::npos;
  const auto lines = ndjson_lines(body, declared);
  if (!lines.empty()) return read_all(lines, true, schemas);
  if (trimmed_json(body).empty()) {
    return failure(ErrorCode::kInvalid, "the body is empty; post a record, an array, or NDJSON");
  }
  if (auto valid = check_json_text(body); !valid) return std::unexpected(valid.error());
  if (const auto elements = json_elements(body)) return read_all(*elements, false, schemas);
  auto record = read_record(trimmed_json(body), schemas);
  if (!record) return std::unexpected(record.error());
  PostedRecords posted{.records = {}, .single = true};
  posted.records.push_back(*std::move(record));
  return posted;
}

void append_record(const TopicRecord& record, const TopicSchemasRef& schemas, std::string& out) {
  out += R"({"partition":)" + std::to_string(record.partition);
  out += R"(,"offset":)" + std::to_string(record.offset);
  out += R"(,"timestamp":)" + std::to_string(to_millis(record.timestamp));
  out += R"(,"key":)";
  if (!append_payload(record.key, schemas.key, out)) out += R"(,"key_encoding":"base64")";
  out += R"(,"value":)";
  if (!append_payload(record.value, schemas.value, out)) out += R"(,"value_encoding":"base64")";
  append_headers(record.headers, out);
  out += '}';
}

}  // namespace thalweg::internal
