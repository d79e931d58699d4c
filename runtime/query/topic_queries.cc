#include <utility>

#include <thalweg/runtime/json_text.h>

#include "query/query_context.h"
#include "query/query_text.h"
#include "query/record_json.h"
#include "query/topic_reader.h"

namespace thalweg::internal {

namespace {

std::string_view cleanup_name(CleanupPolicy policy) {
  switch (policy) {
    case CleanupPolicy::kDelete:
      return "delete";
    case CleanupPolicy::kCompact:
      return "compact";
    case CleanupPolicy::kCompactAndDelete:
      return "compact,delete";
  }
  return "unknown";
}

// Runs `job` where it may wait for the log, and answers 503 when too much does so already.
void run_blocking(BlockingWorker& worker, Responder responder,
                  std::move_only_function<void(Responder)> job) {
  struct Work {
    Responder responder;
    std::move_only_function<void(Responder)> job;
  };
  const auto work = std::make_shared<Work>(std::move(responder), std::move(job));
  if (worker.post([work] { work->job(std::move(work->responder)); })) return;
  work->responder.send(QueryContext::busy());
}

void append_topic(QueryContext& context, const TopicSpec& topic, std::string& out) {
  out += R"({"name":)";
  append_json_string(topic.name, out);
  out += R"(,"cleanup_policy":)";
  append_json_string(cleanup_name(topic.cleanup), out);
  out += R"(,"retention_ms":)" + std::to_string(topic.retention.count());
  out += R"(,"internal":)";
  out += context.internal_topic(topic.name) ? "true" : "false";
  out += R"(,"partitions":[)";
  for (std::int32_t i = 0; i < topic.partitions; ++i) {
    const auto range = context.log().range({topic.name, i});
    if (i > 0) out += ',';
    out += R"({"partition":)" + std::to_string(i);
    if (range) {
      out += R"(,"begin":)" + std::to_string(range->begin);
      out += R"(,"end":)" + std::to_string(range->end);
    }
    out += '}';
  }
  out += "]}";
}

void get_topics(const ContextPtr& context, Responder responder) {
  run_blocking(context->asker(), std::move(responder), [context](Responder later) {
    const auto topics = context->log().topics();
    if (!topics) return later.send(problem(503, "log_unavailable", topics.error().message));
    HttpResponse response{.body = R"({"items":[)"};
    for (const auto& topic : *topics) {
      if (response.body.back() == '}') response.body += ',';
      append_topic(*context, topic, response.body);
    }
    response.body += "]}";
    later.send(std::move(response));
  });
}

// A parameter that is a whole number of at least `least`; absent when it is not given.
Answered<std::optional<std::int64_t>> number(const HttpRequest& request, std::string_view name,
                                             std::int64_t least) {
  const auto text = request.query(name);
  if (!text) return std::nullopt;
  const auto value = parse_integer(*text);
  if (value && *value >= least) return value;
  return std::unexpected(bad_parameter(name, *text, "a whole number"));
}

Answered<TopicRead> read_parameters(const QueryContext& context, const HttpRequest& request) {
  const auto partition = number(request, "partition", 0);
  if (!partition) return std::unexpected(partition.error());
  const auto offset = number(request, "offset", std::numeric_limits<std::int64_t>::min());
  if (!offset) return std::unexpected(offset.error());
  const auto timestamp = number(request, "timestamp", 0);
  if (!timestamp) return std::unexpected(timestamp.error());
  const auto limit = context.limit(request);
  if (!limit) return std::unexpected(limit.error());
  TopicRead read{.topic = {},
                 .partition = {},
                 .offset = *offset,
                 .timestamp = {},
                 .limit = *limit,
                 .time = context.options().topic_read_time};
  if (*partition) {
    if (!std::in_range<std::int32_t>(**partition)) {
      return std::unexpected(bad_parameter("partition", std::to_string(**partition),
                                           "the number of one of the topic's partitions"));
    }
    read.partition = static_cast<std::int32_t>(**partition);
  }
  if (*timestamp) read.timestamp = from_millis(**timestamp);
  return read;
}

void append_offsets(std::string_view name, const std::map<std::int32_t, Offset>& offsets,
                    std::string& out) {
  out.append(",\"").append(name).append("\":{");
  for (const auto& [partition, offset] : offsets) {
    if (out.back() != '{') out += ',';
    out.append(1, '"').append(std::to_string(partition)).append("\":");
    out += std::to_string(offset);
  }
  out += '}';
}

HttpResponse page_response(const TopicPage& page, const TopicSchemasRef& schemas) {
  HttpResponse response{.body = R"({"items":[)"};
  auto& body = response.body;
  for (std::size_t i = 0; i < page.records.size(); ++i) {
    if (i > 0) body += ',';
    append_record(page.records[i], schemas, body);
  }
  body += ']';
  append_offsets("next", page.next, body);
  append_offsets("end", page.end, body);
  body += '}';
  return response;
}

void answer_records(QueryContext& context, const std::string& topic, TopicRead read,
                    const ReadOptions& options, Responder responder) {
  auto spec = context.log().topic(topic);
  if (!spec) {
    return responder.send(spec.error().code == ErrorCode::kNotFound ? context.unknown_topic(topic)
                                                                    : failed(spec.error()));
  }
  if (read.partition.value_or(0) >= spec->partitions) {
    return responder.send(bad_parameter("partition", std::to_string(*read.partition),
                                        "less than " + std::to_string(spec->partitions)));
  }
  read.topic = *std::move(spec);
  const auto page =
      read_topic(context.log(), context.clock(), read, [&] { return context.reader().closing(); });
  if (!page) return responder.send(failed(page.error()));
  context.send_durable(options, page->commit, std::move(responder),
                       page_response(*page, context.topic_schemas(topic)));
}

void get_records(const ContextPtr& context, HttpRequest& request, Responder responder) {
  auto read = read_parameters(*context, request);
  if (!read) return responder.send(std::move(read.error()));
  auto options = context->visibility(request);
  if (!options) return responder.send(std::move(options.error()));
  run_blocking(context->reader(), std::move(responder),
               [context, topic = std::string(request.param("topic")), read = *std::move(read),
                options = *std::move(options)](Responder later) {
                 answer_records(*context, topic, read, options, std::move(later));
               });
}

}  // namespace

void add_topic_routes(const ContextPtr& context) {
  auto& server = context->server();
  server.route("GET", "/v1/topics", [context](HttpRequest&, Responder responder) {
    get_topics(context, std::move(responder));
  });
  server.route("GET", "/v1/topics/{topic}/records?partition&offset&timestamp&limit&visibility",
               [context](HttpRequest& request, Responder responder) {
                 get_records(context, request, std::move(responder));
               });
}

}  // namespace thalweg::internal
