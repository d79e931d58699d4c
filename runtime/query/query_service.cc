#include <thalweg/runtime/query_server.h>

#include "query/change_feed.h"
#include "query/query_checks.h"
#include "query/query_context.h"

namespace thalweg {

namespace internal {

ContextPtr add_query_routes(HttpServer& server, std::vector<std::unique_ptr<QuerySource>> sources,
                            Log& log, MetricsRegistry& metrics, Clock& clock,
                            QueryOptions options) {
  auto context =
      std::make_shared<QueryContext>(server, std::move(sources), log, metrics, clock, options);
  add_state_routes(context);
  add_scan_routes(context);
  add_change_routes(context);
  add_topic_routes(context);
  add_record_routes(context);
  add_operation_routes(context);
  add_peer_routes(context);
  add_query_checks(context);
  return context;
}

}  // namespace internal

class QueryService::Impl {
 public:
  explicit Impl(internal::ContextPtr context) : context_(std::move(context)) {}
  ~Impl() { context_->close(); }
  void stop_waiting() { context_->changes().finish_all(); }

 private:
  internal::ContextPtr context_;
};

QueryService::QueryService(HttpServer& server, std::vector<StreamsApplication*> applications,
                           Log& log, MetricsRegistry& metrics, Clock& clock, QueryOptions options) {
  std::vector<std::unique_ptr<internal::QuerySource>> sources;
  for (auto* application : applications) sources.push_back(internal::query_source(*application));
  impl_ = std::make_unique<Impl>(
      internal::add_query_routes(server, std::move(sources), log, metrics, clock, options));
}

QueryService::~QueryService() = default;

void QueryService::stop_waiting() { impl_->stop_waiting(); }

}  // namespace thalweg
