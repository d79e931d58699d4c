#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/http_server.h>
#include <thalweg/runtime/log.h>
#include <thalweg/runtime/metrics.h>
#include <thalweg/runtime/streams_application.h>

namespace thalweg {

struct QueryOptions {
  std::size_t page_default = 100;  ///< Rows or records of a page that names no `limit`.
  std::size_t page_max = 1000;
  /// How long a request waits, for `at_least=` to be processed or for a task on its way from one
  /// process to another, before the answer is 503.
  std::chrono::milliseconds at_least_time{5'000};
  /// How long the owner of a key may take to answer, beside what it waits for `at_least=`.
  std::chrono::milliseconds forward_time{2'000};
  /// How long a read of a topic may take before what was found so far is the answer.
  std::chrono::milliseconds topic_read_time{5'000};
  bool topics_writable = true;  ///< Whether POST /v1/topics/{topic}/records exists.
};

/// The state, the topics and the health of applications over HTTP: any program gets them with one
/// line.
///
///     QueryService queries(server, {&application}, log, metrics, system_clock());
///
/// Adds, to a server not yet started:
///
// clang-format off
///     GET  /v1/stores                      every store, and how much of it is here: application
///     GET  /v1/stores/{store}/keys         rows in key order: key, from, to (exclusive), prefix,
///                                          reverse, limit, cursor, partial (those of partitions
///                                          that are here); as NDJSON, all of them unless limited,
///                                          when that is what is accepted
///     GET  /v1/stores/{store}/keys/{key}   one row; of a store of windows or sessions those of the
///                                          key: from, to (milliseconds, inclusive), reverse, limit
///     GET  /v1/stores/{store}/changes      what changes from now on, as server-sent events: key,
///                                          from, to (exclusive), prefix, snapshot, interval
///                                          (milliseconds), lastEventId
///     GET  /v1/topics                      every topic, with its partitions and their offsets
///     GET  /v1/topics/{topic}/records      partition, offset (negative: from the end), timestamp,
///                                          limit
///     POST /v1/topics/{topic}/records      {key, value, headers?, timestamp?, partition?}, an
///                                          array of them, or NDJSON; answered when durable, with
///                                          positions
///     GET  /v1/topology                    format (json, text, dot, mermaid), application
///     GET  /v1/tasks                       application
///     GET  /v1/info, /livez, /readyz, /metrics
// clang-format on
///
/// Keys are text for stores of strings; `i64:42`, `b64:...` and `json:...` are understood
/// everywhere, and `str:...` is a string whatever it begins with. Answers show committed rows only,
/// and wait until those are durable, unless `visibility=early`; with
/// `at_least=topic:partition:offset` reads of rows wait until that record is processed. A store's
/// name is looked up in all applications; `application=` picks one. `next_cursor` of a page is the
/// `cursor` of the next. A parameter that a route does not know is a 400 `unknown_parameter`, which
/// names the one that may be meant; /livez, /readyz and /metrics take any.
///
/// With `application.server` set, every process of an application answers for every key: one whose
/// task is elsewhere is asked for there, and `X-Served-By` says whose answer it is. A scan merges
/// the rows of all processes. While a task moves, both wait for it.
///
/// With `max_lag=N` a standby replica that is behind by N offsets of its changelog at most answers
/// for a key too, without asking further; `X-Lag` says how far it was behind.
///
/// Changes are those of the store's changelog, whichever process made them: `data:` is a row as
/// everywhere, with a null value when it was deleted. The newest of each key is sent, never the
/// same key of a partition twice in a piece: a client that is slow, or asks for an `interval`
/// between pieces, misses values but never the last one. With `snapshot=true` all rows as they are
/// come first, then `event: live`; without, whoever reads rows after the first byte misses nothing
/// in between. `id:` ends each piece, and as `Last-Event-ID` (or `lastEventId=`) goes on behind it;
/// `event: reset` says that the log no longer has what came next, and rows have to be read anew.
///
/// The applications, the log, the registry and the clock must outlive the server's stop().
class QueryService {
 public:
  QueryService(HttpServer& server, std::vector<StreamsApplication*> applications, Log& log,
               MetricsRegistry& metrics, Clock& clock, QueryOptions options = {});
  ~QueryService();  ///< Ends what is still being read or written; the routes then answer 503.
  /// Ends the answers that never end by themselves, and begins no more: before the server's stop(),
  /// which would wait for them.
  void stop_waiting();
  QueryService(const QueryService&) = delete;
  QueryService& operator=(const QueryService&) = delete;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace thalweg
