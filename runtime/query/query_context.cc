#include "query/query_context.h"

#include <algorithm>

#include <thalweg/runtime/nearest_name.h>

#include "query/change_feed.h"
#include "query/query_text.h"
#include "remote_view.h"

namespace thalweg::internal {

namespace {

std::string join(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

constexpr std::size_t kNamesMax = 10;  // A hint with more is not read.
constexpr std::size_t kNamesFew = 5;

// What "see" hints say: the likely name, else all of them, or of many the nearest few.
std::string hint_for(std::string_view name, const std::vector<std::string>& known) {
  if (known.empty()) return "there is none at all";
  const auto like = nearest(name, known);
  if (!like.empty()) return "did you mean '" + like + "'?";
  if (known.size() <= kNamesMax) return "known are: " + join(known);
  return "of " + std::to_string(known.size()) +
         " the nearest are: " + join(nearest_few(name, known, kNamesFew));
}

constexpr std::size_t kPositionsMax = 64;  // Of at_least=, each of which is waited for.

// Who reads a topic as bytes says nothing of what they mean: they are shown and taken as if nobody
// read them, and what another application knows of them holds.
void learn(TopicSchemasRef& known, const Topology::TopicSchemas& more) {
  const auto take = [](SchemaPtr& schema, const SchemaPtr& other) {
    const bool says = other && (other->name() != bytes_schema()->name() || other->window_bytes());
    if (says) schema = other;
  };
  take(known.key, more.key);
  take(known.value, more.value);
}

SchemaPtr or_bytes(SchemaPtr schema) { return schema ? std::move(schema) : bytes_schema(); }

}  // namespace

QueryContext::QueryContext(HttpServer& server, std::vector<std::unique_ptr<QuerySource>> sources,
                           Log& log, MetricsRegistry& metrics, Clock& clock, QueryOptions options)
    : server_(server),
      sources_(std::move(sources)),
      log_(log),
      metrics_(metrics),
      clock_(clock),
      options_(options),
      forwarder_(options.at_least_time + options.forward_time, server.options().bearer_token),
      changes_(std::make_unique<ChangeFeed>(*this)) {
  for (const auto& source : sources_) {
    for (const auto& [topic, schemas] : source->topic_schemas()) {
      learn(topic_schemas_[topic], schemas);
      // Internal topics go by their names without the application's prefix in a topology.
      learn(topic_schemas_[source->application_id() + "-" + topic], schemas);
    }
  }
}

QueryContext::~QueryContext() { close(); }

void QueryContext::close() {
  changes_->close();
  asker_.close();
  reader_.close();
  forwarder_.close();
  std::unique_ptr<AsyncProducer> producer;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    producer = std::move(producer_);
  }
}

AsyncProducer* QueryContext::producer() {
  const std::lock_guard lock(mutex_);
  if (!producer_ && !closed_) producer_ = std::make_unique<AsyncProducer>(log_, "query-service");
  return producer_.get();
}

// --- What a request is about
// ----------------------------------------------------------------------

Answered<std::vector<QuerySource*>> QueryContext::sources(const HttpRequest& request) const {
  const auto wanted = request.query("application");
  std::vector<QuerySource*> found;
  std::vector<std::string> known;
  for (const auto& source : sources_) {
    known.push_back(source->application_id());
    if (!wanted || source->application_id() == *wanted) found.push_back(source.get());
  }
  if (wanted && found.empty()) {
    return std::unexpected(problem(404, "unknown_application",
                                   "there is no application '" + std::string(*wanted) + "' here",
                                   hint_for(*wanted, known)));
  }
  return found;
}

void QueryContext::find_stores() {
  stores_.clear();
  for (const auto& source : sources_) {
    for (auto& info : source->stores()) {
      StoreRef ref{source.get(), info.name, info.kind, or_bytes(info.key_schema),
                   or_bytes(info.value_schema)};
      topic_schemas_.try_emplace(source->application_id() + "-" + info.name + "-changelog",
                                 TopicSchemasRef{ref.key_schema, ref.value_schema});
      stores_.emplace(info.name, std::move(ref));
    }
  }
}

std::vector<std::string> QueryContext::store_names() const {
  std::vector<std::string> names;
  for (const auto& [name, store] : stores_) {
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  return names;
}

Answered<StoreRef> QueryContext::store(const HttpRequest& request) {
  const auto name = request.param("store");
  const auto application = request.query("application");
  if (auto known = sources(request); !known) return std::unexpected(std::move(known.error()));
  const std::lock_guard lock(mutex_);
  if (!stores_.contains(name)) find_stores();
  std::vector<const StoreRef*> found;
  std::vector<std::string> owners;
  std::vector<std::string> others;
  for (auto [at, end] = stores_.equal_range(name); at != end; ++at) {
    const auto& owner = at->second.source->application_id();
    if (application && owner != *application) {
      others.push_back(owner);
      continue;
    }
    found.push_back(&at->second);
    owners.push_back(owner);
  }
  if (found.empty() && !others.empty()) {
    return std::unexpected(problem(404, "unknown_store",
                                   "the application '" + std::string(*application) +
                                       "' has no store '" + std::string(name) + "'",
                                   "application= with one of these has it: " + join(others)));
  }
  if (found.empty()) {
    return std::unexpected(problem(404, "unknown_store",
                                   "there is no store '" + std::string(name) + "' here",
                                   hint_for(name, store_names())));
  }
  if (found.size() > 1) {
    return std::unexpected(problem(400, "ambiguous_store",
                                   "several applications have a store '" + std::string(name) + "'",
                                   "add application= with one of: " + join(owners)));
  }
  return *found.front();
}

Answered<std::vector<std::shared_ptr<const StoreView>>> QueryContext::views(
    const StoreRef& store) const {
  auto views = store.source->views(store.name);
  if (views && !views->empty()) return *std::move(views);
  if (!views && views.error().code != ErrorCode::kUnavailable) {
    return std::unexpected(failed(views.error()));
  }
  return std::unexpected(restoring(store));
}

std::shared_ptr<const StoreView> QueryContext::view_elsewhere(const StoreRef& store,
                                                              std::size_t partition) {
  const auto number = static_cast<std::int32_t>(partition);
  auto host = store.source->active_host(store.name, number);
  if (!host) return nullptr;
  return std::make_shared<RemoteView>(forwarder_.peers(), *std::move(host),
                                      store.source->application_id(), store.name, number);
}

Answered<ReadOptions> QueryContext::visibility(const HttpRequest& request) const {
  ReadOptions options;
  if (const auto asked = request.query("visibility")) {
    if (*asked != "early" && *asked != "durable") {
      return std::unexpected(bad_parameter("visibility", *asked, "'early' or 'durable'"));
    }
    options.early = *asked == "early";
  }
  return options;
}

Answered<ReadOptions> QueryContext::read_options(const HttpRequest& request) const {
  auto options = visibility(request);
  if (!options) return options;
  auto rest = request.query("at_least").value_or("");
  while (!rest.empty()) {
    if (options->at_least.size() == kPositionsMax) {
      return std::unexpected(bad_parameter("at_least", rest, "64 positions at most"));
    }
    const auto position = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), position.size() + 1));
    const auto last = position.rfind(':');
    const auto first = last == 0 || last == position.npos ? last : position.rfind(':', last - 1);
    if (first > 0 && first < last) {
      const auto partition = parse_integer(position.substr(first + 1, last - first - 1));
      const auto offset = parse_integer(position.substr(last + 1));
      if (partition && offset && *partition >= 0 && *partition <= 1'000'000 && *offset >= 0) {
        options->at_least.push_back(
            {{std::string(position.substr(0, first)), static_cast<std::int32_t>(*partition)},
             *offset});
        continue;
      }
    }
    return std::unexpected(bad_parameter("at_least", position, "topic:partition:offset"));
  }
  return options;
}

Answered<std::size_t> QueryContext::limit(const HttpRequest& request) const {
  const auto text = request.query("limit");
  if (!text) return options_.page_default;
  const auto value = parse_integer(*text);
  if (!value || *value < 1 || *value > static_cast<std::int64_t>(options_.page_max)) {
    return std::unexpected(
        bad_parameter("limit", *text, "a number from 1 to " + std::to_string(options_.page_max)));
  }
  return static_cast<std::size_t>(*value);
}

// --- Waiting
// --------------------------------------------------------------------------------------

void QueryContext::when_processed(QuerySource& source, const ReadOptions& options,
                                  Responder responder,
                                  std::move_only_function<void(Responder)> next) {
  if (options.at_least.empty()) return next(std::move(responder));
  auto late =
      problem(503, "not_yet_processed", "the record that at_least= names is not processed yet",
              "ask again, or check topic, partition and offset");
  late.headers.emplace_back("Retry-After", "1");
  responder.answer_within(options_.at_least_time, std::move(late));
  struct Waiting {
    std::atomic<std::size_t> left;
    Responder responder;
    std::move_only_function<void(Responder)> next;
  };
  const auto waiting =
      std::make_shared<Waiting>(options.at_least.size(), std::move(responder), std::move(next));
  // By a second later the answer above has gone out, which comes to within a quarter of one.
  const auto deadline = clock_.now() + options_.at_least_time + std::chrono::seconds(1);
  const auto is_over = [deadline, &clock = clock_] { return clock.now() > deadline; };
  for (const auto& [partition, offset] : options.at_least) {
    source.when_processed(
        partition, offset,
        [waiting, &server = server_] {
          if (waiting->left.fetch_sub(1) > 1) return;
          server.post([waiting] { waiting->next(std::move(waiting->responder)); });
        },
        is_over);
  }
}

void QueryContext::when_durable(const ReadOptions& options, CommitSequence commit,
                                std::function<void()> next) {
  auto& durability = log_.durability();
  if (options.early || commit <= durability.durable()) return next();
  durability.when_durable(commit, std::move(next));
}

void QueryContext::send_durable(const ReadOptions& options, CommitSequence commit,
                                Responder responder, HttpResponse response) {
  auto& durability = log_.durability();
  if (options.early || commit <= durability.durable()) return responder.send(std::move(response));
  const auto answer = std::make_shared<std::pair<Responder, HttpResponse>>(std::move(responder),
                                                                           std::move(response));
  durability.when_durable(commit, [answer] { answer->first.send(std::move(answer->second)); });
}

// --- Answers
// --------------------------------------------------------------------------------------

HttpResponse QueryContext::restoring(const StoreRef& store) const {
  std::string progress;
  for (const auto& task : store.source->tasks()) {
    for (const auto& restore : task.restores) {
      if (restore.store != store.name || restore.position >= restore.end) continue;
      progress += (progress.empty() ? "task " : "; task ") + to_string(task.id) + " has " +
                  std::to_string(restore.end - restore.position) + " of " +
                  std::to_string(restore.end - restore.from) + " records left";
    }
  }
  auto response = problem(503, "restoring",
                          "the store '" + store.name + "' is not wholly restored here yet" +
                              (progress.empty() ? "" : ": " + progress),
                          "ask again; /v1/tasks shows the progress");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

TopicSchemasRef QueryContext::topic_schemas(const std::string& topic) {
  const std::lock_guard lock(mutex_);
  auto found = topic_schemas_.find(topic);
  if (found == topic_schemas_.end() && topic.ends_with("-changelog")) {
    find_stores();
    found = topic_schemas_.find(topic);
  }
  return found == topic_schemas_.end() ? TopicSchemasRef{} : found->second;
}

void QueryContext::with_topic(std::string topic, Responder responder,
                              std::move_only_function<void(Responder, std::int32_t)> next) {
  std::int32_t known = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto found = partitions_.find(topic);
    if (found != partitions_.end()) known = found->second;
  }
  if (known > 0) return next(std::move(responder), known);
  struct Question {
    std::string topic;
    Responder responder;
    std::move_only_function<void(Responder, std::int32_t)> next;
  };
  auto question =
      std::make_shared<Question>(std::move(topic), std::move(responder), std::move(next));
  const bool posted = asker_.post([this, question] {
    const auto spec = log_.topic(question->topic);
    if (!spec) {
      return question->responder.send(spec.error().code == ErrorCode::kNotFound
                                          ? unknown_topic(question->topic)
                                          : failed(spec.error()));
    }
    {
      const std::lock_guard lock(mutex_);
      partitions_[question->topic] = spec->partitions;
    }
    server_.post([question, partitions = spec->partitions] {
      question->next(std::move(question->responder), partitions);
    });
  });
  if (!posted) question->responder.send(busy());
}

HttpResponse QueryContext::unknown_topic(const std::string& topic) const {
  std::vector<std::string> names;
  const auto topics = log_.topics();
  for (const auto& spec : topics.value_or(std::vector<TopicSpec>())) names.push_back(spec.name);
  return problem(404, "unknown_topic", "there is no topic '" + topic + "'", hint_for(topic, names));
}

HttpResponse QueryContext::busy() {
  auto response = problem(503, "busy", "too many requests are waiting for the log", "ask again");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

bool QueryContext::internal_topic(const std::string& topic) const {
  return std::any_of(sources_.begin(), sources_.end(), [&](const auto& source) {
    return topic.starts_with(source->application_id() + "-") &&
           (topic.ends_with("-changelog") || topic.ends_with("-repartition"));
  });
}

HttpResponse bad_parameter(std::string_view name, std::string_view value,
                           std::string_view expected) {
  return problem(400, "invalid_parameter",
                 std::string(name) + "=" + std::string(value) + " cannot be",
                 std::string(name) + " is " + std::string(expected));
}

HttpResponse failed(const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      return problem(404, "not_found", error.message);
    case ErrorCode::kInvalid:
      return problem(400, "invalid", error.message);
    case ErrorCode::kAlreadyExists:
      return problem(409, "already_exists", error.message);
    case ErrorCode::kNoSpace:
      return problem(507, "no_space", error.message);
    case ErrorCode::kUnavailable:
    case ErrorCode::kLocked: {
      auto response = problem(503, "unavailable", error.message, "ask again");
      response.headers.emplace_back("Retry-After", "1");
      return response;
    }
    case ErrorCode::kCorrupt:
    case ErrorCode::kIo:
      break;
  }
  return problem(500, "failed", error.message);
}

std::string_view state_name(StreamsApplication::State state) {
  switch (state) {
    case StreamsApplication::State::kCreated:
      return "CREATED";
    case StreamsApplication::State::kRebalancing:
      return "REBALANCING";
    case StreamsApplication::State::kRunning:
      return "RUNNING";
    case StreamsApplication::State::kPendingShutdown:
      return "PENDING_SHUTDOWN";
    case StreamsApplication::State::kNotRunning:
      return "NOT_RUNNING";
    case StreamsApplication::State::kError:
      return "ERROR";
  }
  return "UNKNOWN";
}

}  // namespace thalweg::internal
