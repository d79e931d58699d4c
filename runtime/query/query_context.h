#pragma once

#include <atomic>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <thalweg/runtime/async_producer.h>
#include <thalweg/runtime/query_server.h>

#include "query/blocking_worker.h"
#include "query/query_forwarder.h"
#include "query/query_source.h"

namespace thalweg::internal {

class ChangeFeed;

/// A store of one application: what about it never changes.
struct StoreRef {
  QuerySource* source = nullptr;
  std::string name;
  StateStore::Kind kind = StateStore::Kind::kKeyValue;
  SchemaPtr key_schema;    ///< Never null.
  SchemaPtr value_schema;  ///< Never null.
};

/// How a read asks to be answered.
struct ReadOptions {
  bool early = false;  ///< Without waiting until what it shows is durable.
  std::vector<std::pair<TopicPartition, Offset>> at_least;
  std::optional<Offset> max_lag = {};  ///< A copy that is behind by so much will do.
};

/// Schemas of what a topic holds.
struct TopicSchemasRef {
  SchemaPtr key;    ///< Null: not known.
  SchemaPtr value;  ///< Null: not known.
};

/// A value, or the answer that says why there is none.
template <typename T>
using Answered = std::expected<T, HttpResponse>;

/// What all routes of one QueryService share. Thread-safe.
class QueryContext {
 public:
  QueryContext(HttpServer& server, std::vector<std::unique_ptr<QuerySource>> sources, Log& log,
               MetricsRegistry& metrics, Clock& clock, QueryOptions options);
  ~QueryContext();

  HttpServer& server() { return server_; }
  const std::vector<std::unique_ptr<QuerySource>>& all() const { return sources_; }
  Log& log() { return log_; }
  MetricsRegistry& metrics() { return metrics_; }
  Clock& clock() { return clock_; }
  const QueryOptions& options() const { return options_; }
  /// For questions that the log answers soon.
  BlockingWorker& asker() { return asker_; }
  /// For reading topics, which may take seconds.
  BlockingWorker& reader() { return reader_; }
  QueryForwarder& forwarder() { return forwarder_; }
  /// For those who follow stores.
  ChangeFeed& changes() { return *changes_; }
  /// Null once closed.
  AsyncProducer* producer();
  void close();

  /// The sources of the request: all, or the one that `application=` names.
  Answered<std::vector<QuerySource*>> sources(const HttpRequest& request) const;
  Answered<StoreRef> store(const HttpRequest& request);
  /// The views of a store; null where one is missing.
  Answered<std::vector<std::shared_ptr<const StoreView>>> views(const StoreRef& store) const;
  /// A partition that another process has, read there; null: none has it now. Reading it waits.
  std::shared_ptr<const StoreView> view_elsewhere(const StoreRef& store, std::size_t partition);
  /// Of `visibility` alone.
  Answered<ReadOptions> visibility(const HttpRequest& request) const;
  /// Of `visibility` and `at_least`, for routes that wait for records.
  Answered<ReadOptions> read_options(const HttpRequest& request) const;
  Answered<std::size_t> limit(const HttpRequest& request) const;

  /// Calls `next` once what `options` asks for is processed: at once, or later from one of the
  /// server's threads.
  void when_processed(QuerySource& source, const ReadOptions& options, Responder responder,
                      std::move_only_function<void(Responder)> next);
  /// Sends the answer once `commit`, the newest that it shows, is durable.
  void send_durable(const ReadOptions& options, CommitSequence commit, Responder responder,
                    HttpResponse response);
  /// Calls `next` then, from any thread.
  void when_durable(const ReadOptions& options, CommitSequence commit, std::function<void()> next);

  /// 503: partitions of the store are not here yet; says how far their restores are.
  HttpResponse restoring(const StoreRef& store) const;
  TopicSchemasRef topic_schemas(const std::string& topic);
  /// Calls `next` with the topic's partition count, at once or later from a server's thread;
  /// answers a topic that does not exist itself.
  void with_topic(std::string topic, Responder responder,
                  std::move_only_function<void(Responder, std::int32_t)> next);
  HttpResponse unknown_topic(const std::string& topic) const;
  /// 503: too much is waiting for the log's answers.
  static HttpResponse busy();
  /// Whether only an application itself may write the topic: a changelog or repartition topic.
  bool internal_topic(const std::string& topic) const;

 private:
  void find_stores();
  std::vector<std::string> store_names() const;

  HttpServer& server_;
  std::vector<std::unique_ptr<QuerySource>> sources_;
  Log& log_;
  MetricsRegistry& metrics_;
  Clock& clock_;
  QueryOptions options_;
  BlockingWorker asker_;
  BlockingWorker reader_;
  QueryForwarder forwarder_;
  const std::unique_ptr<ChangeFeed> changes_;

  std::mutex mutex_;  // Guards what follows.
  std::multimap<std::string, StoreRef, std::less<>> stores_;
  std::map<std::string, TopicSchemasRef> topic_schemas_;
  std::unique_ptr<AsyncProducer> producer_;
  std::map<std::string, std::int32_t> partitions_;  ///< Of topics seen so far.
  bool closed_ = false;
};

using ContextPtr = std::shared_ptr<QueryContext>;

// Each adds its routes.
void add_state_routes(const ContextPtr& context);
void add_scan_routes(const ContextPtr& context);
void add_change_routes(const ContextPtr& context);
void add_topic_routes(const ContextPtr& context);
void add_record_routes(const ContextPtr& context);
void add_operation_routes(const ContextPtr& context);
void add_peer_routes(const ContextPtr& context);

/// A 400 that names the parameter at fault.
HttpResponse bad_parameter(std::string_view name, std::string_view value,
                           std::string_view expected);
/// The answer for a failure of the log or of a store.
HttpResponse failed(const Error& error);
std::string_view state_name(StreamsApplication::State state);

/// Routes with all that they share; what QueryService is made of, and tests with other sources.
ContextPtr add_query_routes(HttpServer& server, std::vector<std::unique_ptr<QuerySource>> sources,
                            Log& log, MetricsRegistry& metrics, Clock& clock, QueryOptions options);

}  // namespace thalweg::internal
