#include "gateway_command_ids.h"

#include "command_ids.h"

namespace thalweg::shop {

HttpResponse answer_of_command(const ContextPtr& context, const char* store, const std::string& key,
                               const std::string& command_id, std::int64_t amount,
                               HttpResponse response) {
  if (command_id.empty()) return response;
  const auto view = context->partition_view(store, key);
  if (!view) return unavailable(view.error());
  const auto entry = (*view)->get(command_key(key, command_id));
  if (!entry) return unavailable(entry.error());
  if (!*entry) return response;
  SeenCommand seen;
  Serde<SeenCommand>::deserialize((*entry)->value, seen);
  if (seen.amount == amount) return response;
  return conflict("idempotency_key_reused",
                  "the Idempotency-Key belongs to a request for " + std::to_string(seen.amount));
}

}  // namespace thalweg::shop
