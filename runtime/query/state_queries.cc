#include <algorithm>

#include <thalweg/runtime/json_text.h>
#include <thalweg/schemas/partitioning.h>

#include "query/query_context.h"
#include "query/query_text.h"
#include "query/store_scan.h"

namespace thalweg::internal {

namespace {

constexpr std::size_t kPageBytes = 8u << 20;  // A page ends early when it gets larger.
constexpr std::size_t kStreamedRows = 200;    // Per piece of an NDJSON answer.

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

void append_row(const StoreRef& store, std::int32_t partition, const StoredEntry& entry,
                std::string& out) {
  out += R"({"key":)";
  if (!append_by_schema(*store.key_schema, entry.key, out)) out += R"(,"key_encoding":"base64")";
  out += R"(,"value":)";
  if (!append_by_schema(*store.value_schema, entry.value, out)) {
    out += R"(,"value_encoding":"base64")";
  }
  out += R"(,"timestamp":)" + std::to_string(to_millis(entry.timestamp));
  out += R"(,"partition":)" + std::to_string(partition) + "}";
}

std::optional<HttpResponse> wrong_kind(const StoreRef& store) {
  if (store.kind == StateStore::Kind::kKeyValue) return std::nullopt;
  return problem(400, "wrong_store_type",
                 "the store '" + store.name + "' is a " + std::string(kind_name(store.kind)) +
                     " store; rows are read from key-value stores");
}

HttpResponse invalid_key(const Error& error) {
  return problem(400, "invalid_key", error.message,
                 "write i64:42, b64:..., json:..., str:..., or the text of a string key");
}

// --- GET /v1/stores
// -------------------------------------------------------------------------------

void append_store(const QuerySource& source, const StoreInfo& info, std::string& out) {
  const auto append_name = [&](const SchemaPtr& schema) {
    append_json_string(schema ? schema->name() : "bytes", out);
  };
  out += R"({"application":)";
  append_json_string(source.application_id(), out);
  out += R"(,"name":)";
  append_json_string(info.name, out);
  out += R"(,"type":)";
  append_json_string(kind_name(info.kind), out);
  out += R"(,"key_schema":)";
  append_name(info.key_schema);
  out += R"(,"value_schema":)";
  append_name(info.value_schema);
  out += R"(,"partitions":)" + std::to_string(info.partitions) + R"(,"available":[)";
  for (std::size_t i = 0; i < info.available.size(); ++i) {
    out += (i > 0 ? "," : "") + std::to_string(info.available[i]);
  }
  out += R"(],"approximate_entries":)" + std::to_string(info.approximate_entries) + "}";
}

void get_stores(QueryContext& context, HttpRequest& request, Responder responder) {
  const auto sources = context.sources(request);
  if (!sources) return responder.send(sources.error());
  HttpResponse response{.body = R"({"items":[)"};
  for (const auto* source : *sources) {
    for (const auto& info : source->stores()) {
      if (response.body.back() == '}') response.body += ',';
      append_store(*source, info, response.body);
    }
  }
  response.body += "]}";
  responder.send(std::move(response));
}

// --- GET /v1/stores/{store}/keys/{key}
// ------------------------------------------------------------

HttpResponse row_response(const StoreRef& store, std::int32_t partition, const std::string& shown,
                          const std::optional<StoredEntry>& entry) {
  HttpResponse response;
  if (entry) {
    append_row(store, partition, *entry, response.body);
  } else {
    response =
        problem(404, "not_found", "the store '" + store.name + "' has no key '" + shown + "'");
  }
  if (auto host = store.source->host(); !host.empty()) {
    response.headers.emplace_back(QueryForwarder::kServedBy, std::move(host));
  }
  return response;
}

void answer_key(QueryContext& context, const StoreRef& store, const std::string& key,
                const std::string& shown, const ReadOptions& options, Responder responder) {
  const auto views = context.views(store);
  if (!views) return responder.send(views.error());
  const auto partition = partition_of(key, static_cast<std::int32_t>(views->size()));
  const auto& view = (*views)[static_cast<std::size_t>(partition)];
  if (!view) return responder.send(context.restoring(store));
  const auto entry = view->get(key);
  if (!entry) return responder.send(failed(entry.error()));
  context.send_durable(options, view->last_commit(), std::move(responder),
                       row_response(store, partition, shown, *entry));
}

// The answer of a copy that is near enough; none if there is no such copy here.
std::optional<HttpResponse> stale_answer(const StoreRef& store, std::int32_t partition,
                                         const std::string& key, const std::string& shown,
                                         Offset max_lag) {
  const auto copy = store.source->standby(store.name, partition);
  if (!copy || copy->lag > max_lag) return std::nullopt;
  const auto entry = copy->view->get(key);
  if (!entry) return std::nullopt;  // It has just become the task's own.
  auto response = row_response(store, partition, shown, *entry);
  response.headers.emplace_back("X-Lag", std::to_string(copy->lag));
  return response;
}

// The request as it was, for another process.
std::string target_of(const HttpRequest& request) {
  std::string target(request.path());
  char before = '?';
  for (const std::string_view name : {"application", "visibility", "at_least"}) {
    const auto value = request.query(name);
    if (!value) continue;
    target += std::exchange(before, '&') + std::string(name) + "=" + percent_encoded(*value);
  }
  return target;
}

// The partition of the key, if its task is not here but perhaps elsewhere.
std::optional<std::int32_t> partition_elsewhere(const StoreRef& store, const std::string& key,
                                                const HttpRequest& request) {
  if (request.header(QueryForwarder::kForwarded)) return std::nullopt;
  const auto views = store.source->views(store.name);
  if (!views || views->empty()) return std::nullopt;
  const auto partition = partition_of(key, static_cast<std::int32_t>(views->size()));
  if ((*views)[static_cast<std::size_t>(partition)]) return std::nullopt;
  return partition;
}

void get_key(const ContextPtr& context, HttpRequest& request, Responder responder) {
  auto store = context->store(request);
  if (!store) return responder.send(std::move(store.error()));
  if (auto wrong = wrong_kind(*store)) return responder.send(*std::move(wrong));
  auto options = context->read_options(request);
  if (!options) return responder.send(std::move(options.error()));
  auto key = parse_key(request.param("key"), *store->key_schema);
  if (!key) return responder.send(invalid_key(key.error()));
  if (const auto partition = partition_elsewhere(*store, *key, request)) {
    if (options->max_lag && options->at_least.empty()) {
      auto stale = stale_answer(*store, *partition, *key, std::string(request.param("key")),
                                *options->max_lag);
      if (stale) return responder.send(*std::move(stale));
    }
    if (const auto host = store->source->active_host(store->name, *partition)) {
      return context->forwarder().forward(*host, target_of(request), std::move(responder));
    }
  }
  auto& source = *store->source;
  const auto read = *options;
  context->when_processed(source, read, std::move(responder),
                          [context, store = *std::move(store), key = *std::move(key), read,
                           shown = std::string(request.param("key"))](Responder later) {
                            answer_key(*context, store, key, shown, read, std::move(later));
                          });
}

// --- GET /v1/stores/{store}/keys
// ------------------------------------------------------------------

struct ScanRequest {
  StoreRef store;
  ReadOptions options;
  StoreView::Scan bounds;
  std::size_t limit = 0;
  bool limited = false;  ///< The request names a limit.
  bool partial = false;  ///< Rows of the partitions that are here will do.
};

Answered<bool> flag(const HttpRequest& request, std::string_view name) {
  const auto text = request.query(name);
  if (!text || *text == "false" || *text == "0") return false;
  if (text->empty() || *text == "true" || *text == "1") return true;
  return std::unexpected(bad_parameter(name, *text, "'true' or 'false'"));
}

// Narrows the bounds to those of `from`, `to`, `prefix` and `cursor` together.
std::optional<HttpResponse> read_bounds(const HttpRequest& request, const Schema& schema,
                                        StoreView::Scan& bounds) {
  const auto raise = [&](std::string from) {
    if (!bounds.from || *bounds.from < from) bounds.from = std::move(from);
  };
  const auto lower = [&](std::string to) {
    if (!bounds.to || *bounds.to > to) bounds.to = std::move(to);
  };
  for (const std::string_view name : {"from", "to"}) {
    const auto text = request.query(name);
    if (!text) continue;
    auto key = parse_key(*text, schema);
    if (!key) return invalid_key(key.error());
    name == "from" ? raise(*std::move(key)) : lower(*std::move(key));
  }
  if (const auto text = request.query("prefix")) {
    auto prefix = parse_key_prefix(*text, schema);
    if (!prefix) return invalid_key(prefix.error());
    if (auto end = after_prefix(*prefix)) lower(*std::move(end));
    raise(*std::move(prefix));
  }
  if (const auto text = request.query("cursor")) {
    auto last = decode_base64(*text);
    if (!last) return bad_parameter("cursor", *text, "what next_cursor of the page before says");
    bounds.reverse ? lower(*std::move(last)) : raise(*std::move(last) + '\0');
  }
  return std::nullopt;
}

Answered<ScanRequest> read_scan(QueryContext& context, const HttpRequest& request) {
  auto store = context.store(request);
  if (!store) return std::unexpected(std::move(store.error()));
  if (auto wrong = wrong_kind(*store)) return std::unexpected(*std::move(wrong));
  auto options = context.read_options(request);
  if (!options) return std::unexpected(std::move(options.error()));
  const auto limit = context.limit(request);
  if (!limit) return std::unexpected(limit.error());
  const auto reverse = flag(request, "reverse");
  if (!reverse) return std::unexpected(reverse.error());
  const auto partial = flag(request, "partial");
  if (!partial) return std::unexpected(partial.error());
  ScanRequest scan{
      *std::move(store), *std::move(options), {}, *limit, request.query("limit").has_value(),
      *partial};
  scan.bounds.reverse = *reverse;
  if (auto fault = read_bounds(request, *scan.store.key_schema, scan.bounds)) {
    return std::unexpected(*std::move(fault));
  }
  return scan;
}

std::vector<std::size_t> missing(const std::vector<std::shared_ptr<const StoreView>>& views) {
  std::vector<std::size_t> partitions;
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (!views[i]) partitions.push_back(i);
  }
  return partitions;
}

void append_missing(const std::vector<std::size_t>& partitions, std::string& out) {
  if (partitions.empty()) return;
  out += R"(,"partial":true,"missing":[)";
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    out += (i > 0 ? "," : "") + std::to_string(partitions[i]);
  }
  out += ']';
}

void answer_page(QueryContext& context, const ScanRequest& request, StoreScan scan,
                 const std::vector<std::size_t>& not_here, Responder responder) {
  std::vector<StoreScan::Row> rows;
  if (auto read = scan.next(request.limit + 1, rows); !read) {
    return responder.send(failed(read.error()));
  }
  HttpResponse response{.body = R"({"items":[)"};
  auto& body = response.body;
  std::size_t shown = 0;
  for (; shown < std::min(rows.size(), request.limit) && body.size() < kPageBytes; ++shown) {
    if (shown > 0) body += ',';
    append_row(request.store, rows[shown].partition, rows[shown].entry, body);
  }
  body += R"(],"next_cursor":)";
  if (rows.size() > shown) {
    body += '"';
    append_base64(rows[shown - 1].entry.key, true, body);
    body += '"';
  } else {
    body += "null";
  }
  append_missing(not_here, body);
  body += '}';
  context.send_durable(request.options, scan.last_commit(), std::move(responder),
                       std::move(response));
}

// All rows as NDJSON, piece by piece, each when it is durable and the client has taken the one
// before.
class StreamedScan : public std::enable_shared_from_this<StreamedScan> {
 public:
  StreamedScan(ContextPtr context, ScanRequest request, StoreScan scan)
      : context_(std::move(context)), request_(std::move(request)), scan_(std::move(scan)) {
    if (request_.limited) left_ = request_.limit;
  }

  void start(Responder responder) {
    stream_ = responder.stream({.content_type = "application/x-ndjson"});
    next();
  }

 private:
  void next() {
    std::vector<StoreScan::Row> rows;
    const auto wanted = std::min(kStreamedRows, left_);
    if (!scan_.next(wanted, rows)) {
      stream_ = {};  // Broken off, so that nobody takes it for the whole.
      return;
    }
    if (rows.empty()) return stream_.finish();
    left_ -= rows.size();
    const bool more = rows.size() == wanted && left_ > 0;
    std::string piece;
    for (const auto& row : rows) {
      append_row(request_.store, row.partition, row.entry, piece);
      piece += '\n';
    }
    context_->when_durable(request_.options, scan_.last_commit(),
                           [self = shared_from_this(), more, piece = std::move(piece)]() mutable {
                             self->write(std::move(piece), more);
                           });
  }

  void write(std::string piece, bool more) {
    stream_.write(std::move(piece), [self = shared_from_this(), more](bool alive) {
      if (!alive) return;
      more ? self->next() : self->stream_.finish();
    });
  }

  ContextPtr context_;
  ScanRequest request_;
  StoreScan scan_;
  std::size_t left_ = static_cast<std::size_t>(-1);
  ResponseStream stream_;
};

void answer_scan(const ContextPtr& context, ScanRequest request, bool streamed,
                 Responder responder) {
  auto views = context->views(request.store);
  if (!views) return responder.send(std::move(views.error()));
  const auto not_here = missing(*views);
  if (!not_here.empty() && (!request.partial || streamed)) {
    return responder.send(context->restoring(request.store));
  }
  StoreScan scan(*std::move(views), request.bounds);
  if (!streamed) {
    return answer_page(*context, request, std::move(scan), not_here, std::move(responder));
  }
  std::make_shared<StreamedScan>(context, std::move(request), std::move(scan))
      ->start(std::move(responder));
}

void get_keys(const ContextPtr& context, HttpRequest& request, Responder responder) {
  auto scan = read_scan(*context, request);
  if (!scan) return responder.send(std::move(scan.error()));
  const bool streamed =
      request.header("Accept").value_or("").find("application/x-ndjson") != std::string_view::npos;
  auto& source = *scan->store.source;
  const auto options = scan->options;
  context->when_processed(source, options, std::move(responder),
                          [context, streamed, scan = *std::move(scan)](Responder later) mutable {
                            answer_scan(context, std::move(scan), streamed, std::move(later));
                          });
}

}  // namespace

void add_state_routes(const ContextPtr& context) {
  auto& server = context->server();
  server.route("GET", "/v1/stores", [context](HttpRequest& request, Responder responder) {
    get_stores(*context, request, std::move(responder));
  });
  server.route("GET", "/v1/stores/{store}/keys",
               [context](HttpRequest& request, Responder responder) {
                 get_keys(context, request, std::move(responder));
               });
  server.route("GET", "/v1/stores/{store}/keys/{key}",
               [context](HttpRequest& request, Responder responder) {
                 get_key(context, request, std::move(responder));
               });
}

}  // namespace thalweg::internal
