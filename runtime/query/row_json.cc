#include "query/row_json.h"

#include "query/query_text.h"

namespace thalweg::internal {

void append_row(const StoreRef& store, std::int32_t partition, BytesView key,
                std::optional<BytesView> value, Timestamp timestamp, std::string& out) {
  out += R"({"key":)";
  if (!append_by_schema(*store.key_schema, key, out)) out += R"(,"key_encoding":"base64")";
  out += R"(,"value":)";
  if (!value) {
    out += "null";
  } else if (!append_by_schema(*store.value_schema, *value, out)) {
    out += R"(,"value_encoding":"base64")";
  }
  out += R"(,"timestamp":)" + std::to_string(to_millis(timestamp));
  out += R"(,"partition":)" + std::to_string(partition) + "}";
}

}  // namespace thalweg::internal
