#include <algorithm>

#include <thalweg/runtime/json_text.h>
#include <thalweg/runtime/read_only_window_store.h>
#include <thalweg/schemas/partitioning.h>

#include "peer_protocol.h"
#include "query/query_context.h"
#include "query/query_text.h"
#include "query/row_json.h"
#include "query/store_request.h"
#include "query/store_scan.h"

namespace thalweg::internal {

namespace {

constexpr std::size_t kPageBytes = 8u << 20;  // A page ends early when it gets larger.
constexpr std::size_t kStreamedRows = 200;    // Per piece of an NDJSON answer.

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

// What is asked of one key.
struct KeyRequest {
  StoreRef store;
  std::string key;
  std::string shown;  ///< As the request writes it.
  ReadOptions options;
  WindowRange windows;  ///< Of a store of windows or sessions.
};

HttpResponse row_response(const KeyRequest& request, std::int32_t partition,
                          const std::optional<StoredEntry>& entry) {
  if (!entry) {
    return problem(404, "not_found",
                   "the store '" + request.store.name + "' has no key '" + request.shown + "'");
  }
  HttpResponse response;
  append_row(request.store, partition, *entry, response.body);
  return response;
}

// One row more than the limit was read, if there are more.
HttpResponse windows_response(const KeyRequest& request, std::int32_t partition,
                              const std::vector<WindowRow>& rows) {
  const StoreRef& store = request.store;
  HttpResponse response{.body = R"({"key":)"};
  auto& body = response.body;
  if (!append_by_schema(*store.key_schema, request.key, body))
    body += R"(,"key_encoding":"base64")";
  body += R"(,"partition":)" + std::to_string(partition) + R"(,"items":[)";
  const std::size_t shown = std::min(rows.size(), request.windows.limit - 1);
  for (std::size_t i = 0; i < shown; ++i) {
    const WindowRow& row = rows[i];
    body += i > 0 ? ",{" : "{";
    body += R"("window":{"start":)" + std::to_string(to_millis(row.window.start));
    if (row.window.end != kNoTimestamp) {
      body += R"(,"end":)" + std::to_string(to_millis(row.window.end));
    }
    body += R"(},"value":)";
    if (!append_by_schema(*store.value_schema, row.value, body)) {
      body += R"(,"value_encoding":"base64")";
    }
    body += R"(,"timestamp":)" + std::to_string(to_millis(row.timestamp)) + "}";
  }
  body += rows.size() > shown ? R"(],"more":true})" : R"(],"more":false})";
  return response;
}

Result<HttpResponse> read_key(const KeyRequest& request, std::int32_t partition,
                              const StoreView& view) {
  HttpResponse response;
  if (has_windows(request.store)) {
    const auto rows = read_windows(view, request.store.kind, request.key, request.windows);
    if (!rows) return std::unexpected(rows.error());
    response = windows_response(request, partition, *rows);
  } else {
    const auto entry = view.get(request.key);
    if (!entry) return std::unexpected(entry.error());
    response = row_response(request, partition, *entry);
  }
  if (auto host = request.store.source->host(); !host.empty()) {
    response.headers.emplace_back(kServedByHeader, std::move(host));
  }
  return response;
}

void answer_key(QueryContext& context, const KeyRequest& request, Responder responder) {
  const auto views = context.views(request.store);
  if (!views) return responder.send(views.error());
  const auto partition = partition_of(request.key, static_cast<std::int32_t>(views->size()));
  const auto& view = (*views)[static_cast<std::size_t>(partition)];
  if (!view) return responder.send(context.restoring(request.store));
  auto response = read_key(request, partition, *view);
  if (!response) return responder.send(failed(response.error()));
  context.send_durable(request.options, view->last_commit(), std::move(responder),
                       *std::move(response));
}

// The answer of a copy that is near enough; none if there is no such copy here.
std::optional<HttpResponse> stale_answer(const KeyRequest& request, std::int32_t partition,
                                         Offset max_lag) {
  const auto copy = request.store.source->standby(request.store.name, partition);
  if (!copy || copy->lag > max_lag) return std::nullopt;
  auto response = read_key(request, partition, *copy->view);
  if (!response) return std::nullopt;  // It has just become the task's own.
  response->headers.emplace_back("X-Lag", std::to_string(copy->lag));
  return *std::move(response);
}

// The request as it was, for another process.
std::string target_of(const HttpRequest& request) {
  std::string target(request.path());
  char before = '?';
  for (const std::string_view name :
       {"application", "visibility", "at_least", "from", "to", "reverse", "limit"}) {
    const auto value = request.query(name);
    if (!value) continue;
    target += std::exchange(before, '&') + std::string(name) + "=" + percent_encoded(*value);
  }
  return target;
}

// The partition of the key, if its task is not here but perhaps elsewhere.
std::optional<std::int32_t> partition_elsewhere(const StoreRef& store, const std::string& key,
                                                const HttpRequest& request) {
  if (request.header(kForwardedHeader)) return std::nullopt;
  const auto views = store.source->views(store.name);
  if (!views || views->empty()) return std::nullopt;
  const auto partition = partition_of(key, static_cast<std::int32_t>(views->size()));
  if ((*views)[static_cast<std::size_t>(partition)]) return std::nullopt;
  return partition;
}

// Which windows the request asks for: from and to in milliseconds, both inclusive.
std::optional<HttpResponse> read_window_range(QueryContext& context, const HttpRequest& request,
                                              WindowRange& range) {
  const auto limit = context.limit(request);
  if (!limit) return limit.error();
  range.limit = *limit + 1;  // One more tells whether there are more.
  const auto reverse = flag(request, "reverse");
  if (!reverse) return reverse.error();
  range.reverse = *reverse;
  for (const std::string_view name : {"from", "to"}) {
    const auto text = request.query(name);
    if (!text) continue;
    const auto millis = parse_integer(*text);
    if (!millis || *millis < 0) {
      return bad_parameter(name, *text, "milliseconds since the Unix epoch");
    }
    (name == "from" ? range.from : range.to) = from_millis(*millis);
  }
  return std::nullopt;
}

Answered<KeyRequest> read_key_request(QueryContext& context, const HttpRequest& request) {
  auto store = context.store(request);
  if (!store) return std::unexpected(std::move(store.error()));
  KeyRequest asked{.store = *std::move(store), .shown = std::string(request.param("key"))};
  auto fault = has_windows(asked.store) ? read_window_range(context, request, asked.windows)
                                        : wrong_kind(asked.store);
  if (fault) return std::unexpected(*std::move(fault));
  auto options = context.read_options(request);
  if (!options) return std::unexpected(std::move(options.error()));
  asked.options = *std::move(options);
  auto key = parse_key(request.param("key"), *asked.store.key_schema);
  if (!key) return std::unexpected(invalid_key(key.error()));
  asked.key = *std::move(key);
  return asked;
}

void get_key(const ContextPtr& context, HttpRequest& request, Responder responder) {
  auto asked = read_key_request(*context, request);
  if (!asked) return responder.send(std::move(asked.error()));
  auto& source = *asked->store.source;
  if (const auto partition = partition_elsewhere(asked->store, asked->key, request)) {
    if (asked->options.max_lag && asked->options.at_least.empty()) {
      auto stale = stale_answer(*asked, *partition, *asked->options.max_lag);
      if (stale) return responder.send(*std::move(stale));
    }
    if (const auto host = source.active_host(asked->store.name, *partition)) {
      return context->forwarder().forward(*host, target_of(request), std::move(responder));
    }
  }
  const auto options = asked->options;
  context->when_processed(source, options, std::move(responder),
                          [context, asked = *std::move(asked)](Responder later) {
                            answer_key(*context, asked, std::move(later));
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

// Goes on where the page before ended.
std::optional<HttpResponse> read_cursor(const HttpRequest& request, StoreView::Scan& bounds) {
  const auto text = request.query("cursor");
  if (!text) return std::nullopt;
  auto last = decode_base64(*text);
  if (!last) return bad_parameter("cursor", *text, "what next_cursor of the page before says");
  if (bounds.reverse) {
    lower(bounds, *std::move(last));
  } else {
    raise(bounds, *std::move(last) + '\0');
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
  auto fault = read_bounds(request, *scan.store.key_schema, scan.bounds);
  if (!fault) fault = read_cursor(request, scan.bounds);
  if (fault) return std::unexpected(*std::move(fault));
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
