#include <algorithm>

#include <thalweg/runtime/json_text.h>
#include <thalweg/runtime/read_only_window_store.h>
#include <thalweg/schemas/partitioning.h>

#include "peer_protocol.h"
#include "query/patience.h"
#include "query/query_context.h"
#include "query/query_text.h"
#include "query/row_json.h"
#include "query/store_request.h"

namespace thalweg::internal {

namespace {

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
    if (i > 0) out += ',';
    out += std::to_string(info.available[i]);
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

using Views = std::vector<std::shared_ptr<const StoreView>>;

// Where the key lies, unless something else than the default partitioner has spread the records.
std::int32_t home_of(const StoreRef& store, BytesView key, const Views& views) {
  return partition_of_row(key, store.key_schema->window_bytes(),
                          static_cast<std::int32_t>(views.size()));
}

// What was read of a key, and the newest commit that it can show.
struct KeyAnswer {
  HttpResponse response;
  bool is_found = false;
  CommitSequence commit = 0;
};

Result<KeyAnswer> read_key(const KeyRequest& request, std::int32_t partition,
                           const StoreView& view) {
  KeyAnswer answer;
  if (has_windows(request.store)) {
    const auto rows = read_windows(view, request.store.kind, request.key, request.windows);
    if (!rows) return std::unexpected(rows.error());
    answer.response = windows_response(request, partition, *rows);
    answer.is_found = !rows->empty();
  } else {
    const auto entry = view.get(request.key);
    if (!entry) return std::unexpected(entry.error());
    answer.response = row_response(request, partition, *entry);
    answer.is_found = entry->has_value();
  }
  answer.commit = view.last_commit();
  if (auto host = request.store.source->host(); !host.empty()) {
    answer.response.headers.emplace_back(kServedByHeader, std::move(host));
  }
  return answer;
}

// Unless something is found: looks in the partitions that are here, the home aside.
Status look_beside(const KeyRequest& request, const Views& views, std::int32_t home,
                   KeyAnswer& answer) {
  for (std::int32_t i = 0; !answer.is_found && i < std::ssize(views); ++i) {
    const auto& view = views[static_cast<std::size_t>(i)];
    if (i == home || !view) continue;
    auto beside = read_key(request, i, *view);
    if (!beside && beside.error().code == ErrorCode::kUnavailable) continue;  // It has just left.
    if (!beside) return std::unexpected(beside.error());
    const auto commit = std::max(answer.commit, beside->commit);
    if (beside->is_found) answer = *std::move(beside);
    answer.commit = commit;
  }
  return {};
}

void answer_key(QueryContext& context, const KeyRequest& request, Responder responder) {
  const auto views = context.views(request.store);
  if (!views) return responder.send(views.error());
  const auto home = home_of(request.store, request.key, *views);
  const auto& view = (*views)[static_cast<std::size_t>(home)];
  if (!view) return responder.send(context.restoring(request.store));
  auto answer = read_key(request, home, *view);
  if (!answer) return responder.send(failed(answer.error()));
  if (const auto looked = look_beside(request, *views, home, *answer); !looked) {
    return responder.send(failed(looked.error()));
  }
  context.send_durable(request.options, answer->commit, std::move(responder),
                       std::move(answer->response));
}

// The answer of a copy that is near enough; none if there is no such copy here.
std::optional<HttpResponse> stale_answer(const KeyRequest& request, std::int32_t partition,
                                         Offset max_lag) {
  const auto copy = request.store.source->standby(request.store.name, partition);
  if (!copy || copy->lag > max_lag) return std::nullopt;
  auto answer = read_key(request, partition, *copy->view);
  if (!answer) return std::nullopt;  // It has just become the task's own.
  answer->response.headers.emplace_back("X-Lag", std::to_string(copy->lag));
  return std::move(answer->response);
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
std::optional<std::int32_t> partition_elsewhere(const StoreRef& store, const std::string& key) {
  const auto views = store.source->views(store.name);
  if (!views || views->empty()) return std::nullopt;
  const auto partition = home_of(store, key, *views);
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
  if (const auto lag = request.query("max_lag")) {
    asked.options.max_lag = parse_integer(*lag);
    if (!asked.options.max_lag || *asked.options.max_lag < 0) {
      return std::unexpected(bad_parameter("max_lag", *lag, "a number of offsets, 0 or more"));
    }
  }
  auto key = parse_key(request.param("key"), *asked.store.key_schema);
  if (!key) return std::unexpected(invalid_key(key.error()));
  asked.key = *std::move(key);
  return asked;
}

void answer_key_here(const ContextPtr& context, KeyRequest asked, Responder responder) {
  auto& source = *asked.store.source;
  const auto options = asked.options;
  context->when_processed(source, options, std::move(responder),
                          [context, asked = std::move(asked)](Responder later) {
                            answer_key(*context, asked, std::move(later));
                          });
}

// Looks for the process that has the key's task, again and again while the task moves.
class KeySearch : public std::enable_shared_from_this<KeySearch> {
 public:
  KeySearch(ContextPtr context, KeyRequest asked, std::string target, Responder responder)
      : context_(std::move(context)),
        asked_(std::move(asked)),
        target_(std::move(target)),
        responder_(std::move(responder)),
        patience_(*context_, *asked_.store.source) {}

  void look() {
    const auto partition = partition_elsewhere(asked_.store, asked_.key);
    if (!partition) return answer_key_here(context_, std::move(asked_), std::move(responder_));
    if (asked_.options.max_lag && asked_.options.at_least.empty()) {
      auto stale = stale_answer(asked_, *partition, *asked_.options.max_lag);
      if (stale) return responder_.send(*std::move(stale));
    }
    const auto host = asked_.store.source->active_host(asked_.store.name, *partition);
    if (!host) return look_again(context_->restoring(asked_.store));
    const auto hear = [self = shared_from_this(), home = *partition](HttpResponse answer) {
      if (answer.status == 503) return self->look_again(std::move(answer));
      if (answer.status != 404) return self->responder_.send(std::move(answer));
      self->context_->server().post([self, home, answer = std::move(answer)]() mutable {
        self->look_here(home, std::move(answer));
      });
    };
    context_->forwarder().ask(*host, target_, hear);
  }

 private:
  // The process that has the key's partition knows no such row; one that is here may have it.
  void look_here(std::int32_t home, HttpResponse otherwise) {
    KeyAnswer answer{.response = std::move(otherwise)};
    if (const auto views = asked_.store.source->views(asked_.store.name)) {
      const auto looked = look_beside(asked_, *views, home, answer);
      if (!looked) return responder_.send(failed(looked.error()));
    }
    context_->send_durable(asked_.options, answer.commit, std::move(responder_),
                           std::move(answer.response));
  }
  void look_again(HttpResponse otherwise) {
    if (patience_.is_over()) return responder_.send(std::move(otherwise));
    patience_.later([self = shared_from_this()] { self->look(); });
  }

  ContextPtr context_;
  KeyRequest asked_;
  const std::string target_;
  Responder responder_;
  const Patience patience_;
};

void get_key(const ContextPtr& context, HttpRequest& request, Responder responder) {
  auto asked = read_key_request(*context, request);
  if (!asked) return responder.send(std::move(asked.error()));
  // Who passed it on looks again itself.
  if (request.header(kForwardedHeader)) {
    return answer_key_here(context, *std::move(asked), std::move(responder));
  }
  std::make_shared<KeySearch>(context, *std::move(asked), target_of(request), std::move(responder))
      ->look();
}

}  // namespace

void add_state_routes(const ContextPtr& context) {
  auto& server = context->server();
  server.route("GET", "/v1/stores?application",
               [context](HttpRequest& request, Responder responder) {
                 get_stores(*context, request, std::move(responder));
               });
  server.route("GET",
               "/v1/stores/{store}/keys/{key}?application&visibility&at_least&max_lag&from&to"
               "&reverse&limit",
               [context](HttpRequest& request, Responder responder) {
                 get_key(context, request, std::move(responder));
               });
}

}  // namespace thalweg::internal
