#include <algorithm>

#include <thalweg/runtime/json_text.h>

#include "query/query_context.h"
#include "query/query_text.h"

namespace thalweg::internal {

namespace {

std::string_view task_state_name(TaskInfo::State state) {
  switch (state) {
    case TaskInfo::State::kCreated:
      return "CREATED";
    case TaskInfo::State::kRestoring:
      return "RESTORING";
    case TaskInfo::State::kRunning:
      return "RUNNING";
    case TaskInfo::State::kParked:
      return "PARKED";
    case TaskInfo::State::kClosed:
      return "CLOSED";
  }
  return "UNKNOWN";
}

void append_restores(const TaskInfo& task, std::string& out) {
  for (const auto& restore : task.restores) {
    const auto total = std::max<Offset>(restore.end - restore.from, 0);
    const auto left = std::clamp<Offset>(restore.end - restore.position, 0, total);
    const auto percent = total == 0 ? 100 : (total - left) * 100 / total;
    if (out.back() == '}') out += ',';
    out += R"({"task":")" + to_string(task.id) + R"(","store":)";
    append_json_string(restore.store, out);
    out += R"(,"from":)" + std::to_string(restore.from);
    out += R"(,"position":)" + std::to_string(restore.position);
    out += R"(,"end":)" + std::to_string(restore.end);
    out += R"(,"remaining":)" + std::to_string(left);
    out += R"(,"percent":)" + std::to_string(percent) + "}";
  }
}

void append_task(const std::string& application, const TaskInfo& task, std::string& out) {
  out += R"({"application":)";
  append_json_string(application, out);
  out += R"(,"id":")" + to_string(task.id) + R"(","state":")";
  out += task_state_name(task.state);
  out += R"(","worker":)" + std::to_string(task.worker);
  out += R"(,"stream_time":)" + std::to_string(to_millis(task.stream_time));
  out += R"(,"processed":)" + std::to_string(task.processed);
  out += R"(,"positions":{)";
  for (const auto& [partition, offset] : task.positions) {
    if (out.back() != '{') out += ',';
    append_json_string(to_string(partition), out);
    out += ':';
    out += std::to_string(offset);
  }
  out += R"(},"restores":[)";
  append_restores(task, out);
  out += "]}";
}

void get_tasks(QueryContext& context, HttpRequest& request, Responder responder) {
  const auto sources = context.sources(request);
  if (!sources) return responder.send(sources.error());
  HttpResponse response{.body = R"({"items":[)"};
  for (const auto* source : *sources) {
    for (const auto& task : source->tasks()) {
      if (response.body.back() == '}') response.body += ',';
      append_task(source->application_id(), task, response.body);
    }
  }
  response.body += "]}";
  responder.send(std::move(response));
}

// --- GET /v1/topology
// -----------------------------------------------------------------------------

HttpResponse topologies_as_json(const std::vector<QuerySource*>& sources) {
  HttpResponse response{.body = R"({"items":[)"};
  for (const auto* source : sources) {
    if (response.body.back() == '}') response.body += ',';
    response.body += R"({"application":)";
    append_json_string(source->application_id(), response.body);
    response.body += R"(,"topology":)" + source->topology().to_json() + "}";
  }
  response.body += "]}";
  return response;
}

void get_topology(QueryContext& context, HttpRequest& request, Responder responder) {
  const auto sources = context.sources(request);
  if (!sources) return responder.send(sources.error());
  const auto format = request.query("format").value_or("json");
  if (format == "json") return responder.send(topologies_as_json(*sources));
  using Print = std::string (TopologyDescription::*)() const;
  const Print print = format == "text"      ? &TopologyDescription::to_text
                      : format == "dot"     ? &TopologyDescription::to_dot
                      : format == "mermaid" ? &TopologyDescription::to_mermaid
                                            : nullptr;
  if (!print) {
    return responder.send(bad_parameter("format", format, "'json', 'text', 'dot' or 'mermaid'"));
  }
  if (sources->size() != 1) {
    std::string names;
    for (const auto* source : *sources) {
      names += (names.empty() ? "" : ", ") + source->application_id();
    }
    return responder.send(problem(400, "ambiguous_application",
                                  "this format shows one application at a time",
                                  "add application= with one of: " + names));
  }
  responder.send({.content_type = format == "dot" ? "text/vnd.graphviz; charset=utf-8"
                                                  : "text/plain; charset=utf-8",
                  .body = (sources->front()->topology().*print)()});
}

// --- GET /v1/info
// ---------------------------------------------------------------------------------

void get_info(QueryContext& context, Responder responder) {
  HttpResponse response{.body = R"({"name":"thalweg","version":")" THALWEG_VERSION R"(")"};
  auto& body = response.body;
  body += R"(,"cluster_id":)";
  append_json_string(context.log().cluster_id(), body);
  body += R"(,"durable_commit":)" + std::to_string(context.log().durability().durable());
  body += R"(,"visible_commit":)" + std::to_string(context.log().durability().visible());
  body += R"(,"applications":[)";
  for (const auto& source : context.all()) {
    if (body.back() == '}') body += ',';
    body += R"({"application":)";
    append_json_string(source->application_id(), body);
    body += R"(,"state":")";
    body += state_name(source->state());
    body += '"';
    if (const auto failure = source->failure()) {
      body += R"(,"failure":)";
      append_json_string(*failure, body);
    }
    body += '}';
  }
  body += "]}";
  responder.send(std::move(response));
}

// --- Health
// ---------------------------------------------------------------------------------------

// A process whose workers failed for good is of no more use; one that restores is.
void get_livez(QueryContext& context, Responder responder) {
  std::string failures;
  for (const auto& source : context.all()) {
    if (source->state() != StreamsApplication::State::kError) continue;
    failures += (failures.empty() ? "" : "; ") + source->application_id() + ": " +
                source->failure().value_or("failed");
  }
  if (!failures.empty()) return responder.send(problem(503, "failed", failures, "see the log"));
  responder.send({.body = R"({"status":"alive"})"});
}

bool append_readiness(const QuerySource& source, std::string& out) {
  const auto state = source.state();
  const auto tasks = source.tasks();
  const auto waiting = std::count_if(tasks.begin(), tasks.end(), [](const TaskInfo& task) {
    return task.state == TaskInfo::State::kCreated || task.state == TaskInfo::State::kRestoring;
  });
  const bool ready = state == StreamsApplication::State::kRunning && waiting == 0;
  out += R"({"application":)";
  append_json_string(source.application_id(), out);
  out += R"(,"state":")";
  out += state_name(state);
  out += R"(","ready":)";
  out += ready ? "true" : "false";
  if (!ready) {
    std::string reason = "is " + std::string(state_name(state));
    if (waiting > 0) {
      reason = std::to_string(waiting) + " of " + std::to_string(tasks.size()) +
               " tasks are not restored yet";
    }
    if (const auto failure = source.failure()) reason = *failure;
    out += R"(,"reason":)";
    append_json_string(reason, out);
    out += R"(,"restores":[)";
    for (const auto& task : tasks) append_restores(task, out);
    out += ']';
  }
  out += '}';
  return ready;
}

void get_readyz(QueryContext& context, Responder responder) {
  std::string applications;
  bool ready = true;
  for (const auto& source : context.all()) {
    if (!applications.empty()) applications += ',';
    ready = append_readiness(*source, applications) && ready;
  }
  HttpResponse response{.status = ready ? 200 : 503,
                        .body = std::string(R"({"status":")") + (ready ? "ready" : "not_ready") +
                                R"(","applications":[)" + applications + "]}"};
  if (!ready) response.headers.emplace_back("Retry-After", "1");
  responder.send(std::move(response));
}

// --- GET /metrics
// ---------------------------------------------------------------------------------

// What the applications know and no instrument counts.
void measure(QueryContext& context) {
  auto& metrics = context.metrics();
  for (const auto& source : context.all()) {
    const MetricsRegistry::Labels application{{"application", source->application_id()}};
    metrics
        .gauge("thalweg_application_running", "Whether the application is in state RUNNING.",
               application)
        .set(source->state() == StreamsApplication::State::kRunning ? 1 : 0);
    const auto tasks = source->tasks();
    double left = 0;
    for (const auto& task : tasks) {
      for (const auto& restore : task.restores) {
        left += static_cast<double>(std::max<Offset>(restore.end - restore.position, 0));
      }
    }
    metrics.gauge("thalweg_tasks", "Tasks of the application in this process.", application)
        .set(static_cast<double>(tasks.size()));
    metrics
        .gauge("thalweg_restore_remaining_records",
               "Changelog records that are to be restored before all tasks run.", application)
        .set(left);
    for (const auto& store : source->stores()) {
      auto labels = application;
      labels.emplace_back("store", store.name);
      metrics.gauge("thalweg_store_entries", "About how many entries the store has here.", labels)
          .set(static_cast<double>(store.approximate_entries));
    }
  }
}

void get_metrics(QueryContext& context, HttpRequest& request, Responder responder) {
  measure(context);
  const bool open =
      names_media_type(request.header("Accept").value_or(""), "application/openmetrics-text");
  responder.send({.content_type = open
                                      ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                      : "text/plain; version=0.0.4; charset=utf-8",
                  .body = context.metrics().expose(open)});
}

}  // namespace

void add_operation_routes(const ContextPtr& context) {
  auto& server = context->server();
  const auto route = [&](std::string_view path, auto handler, HttpRouteOptions options = {}) {
    server.route(
        "GET", path,
        [context, handler](HttpRequest& request, Responder responder) {
          if constexpr (std::is_invocable_v<decltype(handler), QueryContext&, HttpRequest&,
                                            Responder>) {
            handler(*context, request, std::move(responder));
          } else {
            handler(*context, std::move(responder));
          }
        },
        options);
  };
  route("/v1/tasks?application", get_tasks);
  route("/v1/topology?application&format", get_topology);
  route("/v1/info", get_info);
  // Whoever looks after processes asks without a token, and with what parameters they like.
  route("/livez?*", get_livez, {.without_token = true});
  route("/readyz?*", get_readyz, {.without_token = true});
  route("/metrics?*", get_metrics);
}

}  // namespace thalweg::internal
