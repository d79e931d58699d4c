#include <atomic>

#include <thalweg/runtime/json_text.h>

#include "query/query_context.h"
#include "query/record_json.h"

namespace thalweg::internal {

namespace {

// The records of one request on their way into the log.
class Sending : public std::enable_shared_from_this<Sending> {
 public:
  Sending(std::string topic, bool single, std::size_t count, Responder responder)
      : topic_(std::move(topic)),
        single_(single),
        results_(count, Result<AsyncProducer::Sent>(AsyncProducer::Sent{})),
        left_(count),
        responder_(std::move(responder)) {}

  void start(AsyncProducer& producer, std::vector<PostedRecord> records, Timestamp now) {
    for (std::size_t i = 0; i < records.size(); ++i) {
      auto& record = records[i];
      producer.send(
          topic_, std::move(record.key), std::move(record.value), record.timestamp.value_or(now),
          std::move(record.headers),
          [self = shared_from_this(), i](Result<AsyncProducer::Sent> sent) {
            self->done(i, std::move(sent));
          },
          record.partition);
    }
  }

 private:
  // Each result is written by one callback, and read after the last.
  void done(std::size_t index, Result<AsyncProducer::Sent> sent) {
    results_[index] = std::move(sent);
    if (left_.fetch_sub(1) == 1) responder_.send(answer());
  }

  HttpResponse answer() const {
    for (std::size_t i = 0; i < results_.size(); ++i) {
      if (!results_[i]) return failed_at(i);
    }
    HttpResponse response;
    auto& body = response.body;
    if (!single_) body = R"({"items":[)";
    for (std::size_t i = 0; i < results_.size(); ++i) {
      if (i > 0) body += ',';
      append_position(*results_[i], body);
    }
    if (!single_) body += "]}";
    if (!results_.empty()) response.headers.emplace_back("X-Position", positions());
    return response;
  }

  HttpResponse failed_at(std::size_t index) const {
    auto error = results_[index].error();
    if (!single_) {
      error.message = "record " + std::to_string(index + 1) + " of " +
                      std::to_string(results_.size()) + " was not written: " + error.message +
                      "; others may have been";
    }
    return failed(error);
  }

  void append_position(const AsyncProducer::Sent& sent, std::string& body) const {
    body += R"({"topic":)";
    append_json_string(topic_, body);
    body += R"(,"partition":)" + std::to_string(sent.partition.partition);
    body += R"(,"offset":)" + std::to_string(sent.offset) + "}";
  }

  // What `at_least=` takes to see all of them processed.
  std::string positions() const {
    std::map<std::int32_t, Offset> last;
    for (const auto& sent : results_) {
      auto& offset = last[sent->partition.partition];
      offset = std::max(offset, sent->offset);
    }
    std::string text;
    for (const auto& [partition, offset] : last) {
      if (!text.empty()) text += ',';
      text += topic_ + ":" + std::to_string(partition) + ":" + std::to_string(offset);
    }
    return text;
  }

  std::string topic_;
  bool single_;
  std::vector<Result<AsyncProducer::Sent>> results_;
  std::atomic<std::size_t> left_;
  Responder responder_;
};

HttpResponse invalid_record(const std::string& message) {
  return problem(400, "invalid_record", message, "nothing was written");
}

void write_records(QueryContext& context, const std::string& topic, PostedRecords posted,
                   std::int32_t partitions, Responder responder) {
  for (const auto& record : posted.records) {
    if (record.partition.value_or(0) < partitions) continue;
    return responder.send(invalid_record(topic + " has no partition " +
                                         std::to_string(*record.partition) + ", only " +
                                         std::to_string(partitions)));
  }
  auto* producer = context.producer();
  if (!producer) {
    return responder.send(failed({ErrorCode::kUnavailable, "the service is shutting down"}));
  }
  if (posted.records.empty()) return responder.send({.body = R"({"items":[]})"});
  std::make_shared<Sending>(topic, posted.single, posted.records.size(), std::move(responder))
      ->start(*producer, std::move(posted.records), context.clock().wall_clock());
}

void post_records(const ContextPtr& context, HttpRequest& request, Responder responder) {
  std::string topic(request.param("topic"));
  if (context->internal_topic(topic)) {
    return responder.send(
        problem(403, "internal_topic", "'" + topic + "' is written by its application alone"));
  }
  auto posted = read_posted(request.body(), request.header("Content-Type").value_or(""),
                            context->topic_schemas(topic));
  if (!posted) return responder.send(invalid_record(posted.error().message));
  auto name = topic;
  context->with_topic(std::move(name), std::move(responder),
                      [context, topic = std::move(topic), posted = *std::move(posted)](
                          Responder later, std::int32_t partitions) mutable {
                        write_records(*context, topic, std::move(posted), partitions,
                                      std::move(later));
                      });
}

}  // namespace

void add_record_routes(const ContextPtr& context) {
  if (!context->options().topics_writable) return;
  context->server().route("POST", "/v1/topics/{topic}/records",
                          [context](HttpRequest& request, Responder responder) {
                            post_records(context, request, std::move(responder));
                          });
}

}  // namespace thalweg::internal
