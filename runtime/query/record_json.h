#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/schemas/error.h>
#include <thalweg/schemas/headers.h>
#include <thalweg/schemas/timestamp.h>

#include "query/query_context.h"
#include "query/topic_reader.h"

namespace thalweg::internal {

/// A record as a client posts it.
struct PostedRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;
  Headers headers;
  std::optional<Timestamp> timestamp;
  std::optional<std::int32_t> partition;
};

struct PostedRecords {
  std::vector<PostedRecord> records;
  bool single = false;  ///< One object, not an array or lines of them.
};

/// Reads one record object, an array of them, or NDJSON. Keys and values become bytes by the
/// schemas; where there is none, strings are their text and other JSON stays as it is written.
/// kInvalid says which record is wrong and how; then none is to be written.
Result<PostedRecords> read_posted(std::string_view body, std::string_view content_type,
                                  const TopicSchemasRef& schemas);

/// Appends a record of a topic as the JSON that read_posted() would take.
void append_record(const TopicRecord& record, const TopicSchemasRef& schemas, std::string& out);

}  // namespace thalweg::internal
