#pragma once

#include <cstdint>
#include <string>

#include "gateway_context.h"

namespace thalweg::shop {

/// What to answer to a command that is processed, of the `key` and with the Idempotency-Key
/// `command_id`: `response`, or 409 if its id was that of a command with another amount, and so it
/// had no effect. `store` is that of command_ids.h.
HttpResponse answer_of_command(const ContextPtr& context, const char* store, const std::string& key,
                               const std::string& command_id, std::int64_t amount,
                               HttpResponse response);

}  // namespace thalweg::shop
