#include "query/store_request.h"

#include "query/query_text.h"

namespace thalweg::internal {

std::string_view kind_name(StateStore::Kind kind) {
  switch (kind) {
    case StateStore::Kind::kKeyValue:
      return "key-value";
    case StateStore::Kind::kWindow:
      return "window";
    case StateStore::Kind::kSession:
      return "session";
    case StateStore::Kind::kVersioned:
      return "versioned";
    case StateStore::Kind::kBuffer:
      return "buffer";
  }
  return "unknown";
}

std::optional<HttpResponse> wrong_kind(const StoreRef& store, std::string_view why) {
  if (store.kind == StateStore::Kind::kKeyValue) return std::nullopt;
  return problem(
      400, "wrong_store_type",
      "the store '" + store.name + "' is a " + std::string(kind_name(store.kind)) + " store; " +
          std::string(why),
      has_windows(store) ? "GET /v1/stores/{store}/keys/{key}?from&to reads one key" : "");
}

Answered<bool> flag(const HttpRequest& request, std::string_view name) {
  const auto text = request.query(name);
  if (!text || *text == "false" || *text == "0") return false;
  if (text->empty() || *text == "true" || *text == "1") return true;
  return std::unexpected(bad_parameter(name, *text, "'true' or 'false'"));
}

HttpResponse invalid_key(const Error& error) {
  return problem(400, "invalid_key", error.message,
                 "write i64:42, b64:..., json:..., str:..., or the text of a string key");
}

void raise(StoreView::Scan& bounds, std::string from) {
  if (!bounds.from || *bounds.from < from) bounds.from = std::move(from);
}

void lower(StoreView::Scan& bounds, std::string to) {
  if (!bounds.to || *bounds.to > to) bounds.to = std::move(to);
}

std::optional<HttpResponse> read_bounds(const HttpRequest& request, const Schema& schema,
                                        StoreView::Scan& bounds) {
  for (const std::string_view name : {"from", "to", "key"}) {
    const auto text = request.query(name);
    if (!text) continue;
    auto key = parse_key(*text, schema);
    if (!key) return invalid_key(key.error());
    if (name == "key") lower(bounds, *key + '\0');
    if (name == "to") {
      lower(bounds, *std::move(key));
    } else {
      raise(bounds, *std::move(key));
    }
  }
  if (const auto text = request.query("prefix")) {
    auto prefix = parse_key_prefix(*text, schema);
    if (!prefix) return invalid_key(prefix.error());
    if (auto end = after_prefix(*prefix)) lower(bounds, *std::move(end));
    raise(bounds, *std::move(prefix));
  }
  return std::nullopt;
}

}  // namespace thalweg::internal
