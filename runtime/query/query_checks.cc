#include "query/query_checks.h"

namespace thalweg::internal {

namespace {

// A record that no task ever reads would be waited for in vain.
std::optional<HttpResponse> check_positions(QueryContext& context, const HttpRequest& request) {
  if (!request.query("at_least")) return std::nullopt;
  const auto store = context.store(request);
  const auto options = context.read_options(request);
  if (!store || !options) return std::nullopt;  // The handler says what is wrong.
  for (const auto& [input, offset] : options->at_least) {
    if (store->source->reads(input)) continue;
    return problem(400, "invalid_parameter",
                   "at_least=" + input.topic + ":" + std::to_string(input.partition) + ":" +
                       std::to_string(offset) + " is never processed: the application '" +
                       store->source->application_id() + "' reads no partition " +
                       std::to_string(input.partition) + " of a topic '" + input.topic + "'",
                   "at_least is topic:partition:offset, as X-Position says it");
  }
  return std::nullopt;
}

}  // namespace

void add_query_checks(const ContextPtr& context) {
  auto& server = context->server();
  for (const char* pattern : {"/v1/stores/{store}/keys/{key}", "/v1/stores/{store}/keys"}) {
    server.check("GET", pattern, [context](const HttpRequest& request) {
      return check_positions(*context, request);
    });
  }
}

}  // namespace thalweg::internal
