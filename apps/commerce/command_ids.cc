#include "command_ids.h"

#include "command_generated.h"
#include "table_bytes.h"

namespace thalweg {
namespace shop {

std::string command_key(std::string_view key, std::string_view command_id) {
  std::string text(key);
  text += '\n';
  return text.append(command_id);
}

bool is_repeated(std::int64_t seen_at, std::int64_t at, std::chrono::milliseconds retention) {
  return at - seen_at <= retention.count();
}

}  // namespace shop

using namespace shop;

void Serde<SeenCommand>::serialize(const SeenCommand& value, std::string& out) {
  auto& builder = cleared_builder();
  finish(builder, fb::CreateSeenCommand(builder, value.at, value.amount), out);
}

void Serde<SeenCommand>::deserialize(BytesView bytes, SeenCommand& out) {
  read_table<fb::SeenCommand>(
      bytes, [&](const fb::SeenCommand& table) { out = {table.at(), table.amount()}; });
}

SchemaPtr Serde<SeenCommand>::schema() { return internal::table_schema<fb::SeenCommand>(); }

}  // namespace thalweg
