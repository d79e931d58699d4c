// What other processes of an application ask (../peer_protocol.h): the bytes of one partition of a
// store, and how far a task is. Answered from what is here, or not at all.

#include <algorithm>
#include <charconv>

#include "peer_protocol.h"
#include "query/query_context.h"
#include "query/query_text.h"

namespace thalweg::internal {

namespace {

constexpr std::size_t kRowsMax = 10'000;

template <typename T>
std::optional<T> number(std::string_view text) {
  T value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

HttpResponse not_here(const std::string& what) {
  auto response = problem(503, "not_here", what + " is not here, or not restored yet", "ask again");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

std::optional<std::string> bytes_of(const HttpRequest& request, std::string_view name) {
  const auto text = request.query(name);
  return text ? decode_base64(*text) : std::nullopt;
}

Result<std::vector<StoredEntry>> read_rows(const StoreView& view, const HttpRequest& request) {
  std::vector<StoredEntry> rows;
  if (const auto key = bytes_of(request, "key")) {
    auto row = view.get(*key);
    if (!row) return std::unexpected(row.error());
    if (*row) rows.push_back(**std::move(row));
    return rows;
  }
  StoreView::Scan scan;
  scan.from = bytes_of(request, "from");
  scan.to = bytes_of(request, "to");
  scan.reverse = request.query("reverse") == "true";
  const auto limit = number<std::size_t>(request.query("limit").value_or(""));
  if (!limit || *limit < 1 || *limit > kRowsMax) {
    return failure(ErrorCode::kInvalid, "limit is not a number from 1 to 10000");
  }
  scan.limit = *limit;
  return view.scan(scan);
}

void get_view(QueryContext& context, HttpRequest& request, Responder responder) {
  const auto store = context.store(request);
  if (!store) return responder.send(store.error());
  const auto views = store->source->views(store->name);
  const auto partition = number<std::size_t>(request.param("partition"));
  if (!views || !partition || *partition >= views->size() || !(*views)[*partition]) {
    return responder.send(
        not_here("partition " + std::string(request.param("partition")) + " of " + store->name));
  }
  const StoreView& view = *(*views)[*partition];
  const auto rows = read_rows(view, request);
  if (!rows) return responder.send(failed(rows.error()));
  HttpResponse response{.content_type = "application/octet-stream"};
  for (const auto& row : *rows) append_peer_row(row, response.body);
  response.headers.emplace_back(kServedByHeader, store->source->host());
  if (const Timestamp first = view.first_readable(); first != kNoTimestamp) {
    response.headers.emplace_back(kFirstReadableHeader, std::to_string(to_millis(first)));
  }
  context.send_durable({}, view.last_commit(), std::move(responder), std::move(response));
}

/// The committed position of the input, if a task here reads it.
std::optional<Offset> position_of(const QuerySource& source, const TopicPartition& input) {
  for (const auto& task : source.tasks()) {
    const auto position = task.positions.find(input);
    if (position != task.positions.end()) return position->second;
  }
  return std::nullopt;
}

void get_position(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const auto sources = context->sources(request);
  if (!sources) return responder.send(sources.error());
  const auto partition = number<std::int32_t>(request.param("partition"));
  const auto passed = number<Offset>(request.query("passed").value_or(""));
  if (sources->size() != 1 || !partition || !passed) {
    return responder.send(
        problem(400, "invalid_parameter", "application=, a partition and passed= are needed"));
  }
  QuerySource& source = *sources->front();
  const TopicPartition input{std::string(request.param("topic")), *partition};
  if (!position_of(source, input)) {
    return responder.send(not_here("the task of " + to_string(input)));
  }
  ReadOptions until_processed;
  until_processed.at_least.emplace_back(input, *passed);
  context->when_processed(
      source, until_processed, std::move(responder),
      [&source, input, passed = *passed](Responder waiting) {
        const Offset position = std::max(position_of(source, input).value_or(0), passed + 1);
        waiting.send({.content_type = "text/plain", .body = std::to_string(position)});
      });
}

}  // namespace

void add_peer_routes(const ContextPtr& context) {
  auto& server = context->server();
  server.route("GET", kPeerViewPattern, [context](HttpRequest& request, Responder responder) {
    get_view(*context, request, std::move(responder));
  });
  server.route("GET", kPeerPositionPattern, [context](HttpRequest& request, Responder responder) {
    get_position(context, request, std::move(responder));
  });
}

}  // namespace thalweg::internal
