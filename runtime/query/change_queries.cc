#include "query/change_feed.h"
#include "query/query_context.h"
#include "query/query_text.h"
#include "query/store_request.h"

namespace thalweg::internal {

namespace {

constexpr std::int64_t kIntervalMax = 60'000;

Answered<std::chrono::milliseconds> read_interval(const HttpRequest& request) {
  const auto text = request.query("interval");
  if (!text) return std::chrono::milliseconds(0);
  const auto millis = parse_integer(*text);
  if (millis && *millis >= 0 && *millis <= kIntervalMax) return std::chrono::milliseconds(*millis);
  return std::unexpected(
      bad_parameter("interval", *text, "milliseconds, at most " + std::to_string(kIntervalMax)));
}

Answered<ChangeWish> read_wish(QueryContext& context, const HttpRequest& request) {
  auto store = context.store(request);
  if (!store) return std::unexpected(std::move(store.error()));
  const auto why = "changes of " + std::string(kind_name(store->kind)) +
                   " stores cannot be followed, only those of key-value stores";
  if (auto wrong = wrong_kind(*store, why)) return std::unexpected(*std::move(wrong));
  auto changelog = store->source->changelog(store->name);
  if (!changelog) {
    return std::unexpected(problem(400, "no_changelog",
                                   "the store '" + store->name + "' keeps no changelog",
                                   "rows are at /v1/stores/{store}/keys"));
  }
  auto options = context.visibility(request);
  if (!options) return std::unexpected(std::move(options.error()));
  const auto snapshot = flag(request, "snapshot");
  if (!snapshot) return std::unexpected(snapshot.error());
  const auto interval = read_interval(request);
  if (!interval) return std::unexpected(interval.error());
  ChangeWish wish{.store = *std::move(store)};
  wish.changelog = *std::move(changelog);
  wish.options = *std::move(options);
  wish.snapshot = *snapshot;
  wish.interval = *interval;
  const auto last = request.header("Last-Event-ID");
  wish.last_event = last ? *last : request.query("lastEventId").value_or("");
  if (auto fault = read_bounds(request, *wish.store.key_schema, wish.bounds)) {
    return std::unexpected(*std::move(fault));
  }
  return wish;
}

void get_changes(QueryContext& context, HttpRequest& request, Responder responder) {
  auto wish = read_wish(context, request);
  if (!wish) return responder.send(std::move(wish.error()));
  if (wish->snapshot && wish->last_event.empty()) {
    const auto views = context.views(wish->store);
    if (!views) return responder.send(views.error());
    for (std::size_t p = 0; p < views->size(); ++p) {
      const bool is_somewhere = (*views)[p] || context.view_elsewhere(wish->store, p);
      if (!is_somewhere) return responder.send(context.restoring(wish->store));
    }
  }
  context.changes().add(*std::move(wish), std::move(responder));
}

}  // namespace

void add_change_routes(const ContextPtr& context) {
  context->server().route("GET",
                          "/v1/stores/{store}/changes?application&visibility&snapshot&interval"
                          "&lastEventId&from&to&key&prefix",
                          [context](HttpRequest& request, Responder responder) {
                            get_changes(*context, request, std::move(responder));
                          });
}

}  // namespace thalweg::internal
