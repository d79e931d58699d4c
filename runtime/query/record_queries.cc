#include <atomic>
#include <functional>

#include <thalweg/runtime/json_text.h>

#include "query/posted_keys.h"
#include "query/query_context.h"
#include "query/record_json.h"

namespace thalweg::internal {

namespace {

constexpr std::size_t kKeyBytesMax = 200;

// The records of one request on their way into the log.
class Sending : public std::enable_shared_from_this<Sending> {
 public:
  Sending(std::string topic, bool single, std::size_t count, Responder responder)
      : topic_(std::move(topic)),
        single_(single),
        results_(count, Result<AsyncProducer::Sent>(AsyncProducer::Sent{})),
        left_(count),
        responder_(std::move(responder)) {}

  /// A record that an earlier request with the same key has written.
  void is_there(std::size_t index, const PostedKeys::Place& place) {
    results_[index] = AsyncProducer::Sent{{topic_, place.partition}, place.offset};
    --left_;
  }
  void refuse(HttpResponse response) {
    if (when_done_) when_done_();
    responder_.send(std::move(response));
  }
  /// Called before the answer leaves.
  void when_done(std::function<void()> done) { when_done_ = std::move(done); }

  void start(AsyncProducer& producer, std::vector<PostedRecord> records, Timestamp now) {
    if (left_ == 0) return finish();
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (results_[i]->offset != kNoOffset) continue;
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
    if (left_.fetch_sub(1) == 1) finish();
  }
  void finish() {
    if (when_done_) when_done_();
    responder_.send(answer());
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
  std::function<void()> when_done_;
};

HttpResponse invalid_record(const std::string& message) {
  return problem(400, "invalid_record", message, "nothing was written");
}

HttpResponse shutting_down() {
  return failed({ErrorCode::kUnavailable, "the service is shutting down"});
}

// One request to write records.
struct Posting {
  std::string topic;
  std::string key;  ///< Idempotency-Key; empty: none.
  PostedRecords posted;
};

std::optional<HttpResponse> fault_of(const Posting& posting, std::int32_t partitions) {
  for (const auto& record : posting.posted.records) {
    if (record.partition.value_or(0) < partitions) continue;
    return invalid_record(posting.topic + " has no partition " + std::to_string(*record.partition) +
                          ", only " + std::to_string(partitions));
  }
  return std::nullopt;
}

std::shared_ptr<Sending> sending_of(const Posting& posting, Responder responder) {
  return std::make_shared<Sending>(posting.topic, posting.posted.single,
                                   posting.posted.records.size(), std::move(responder));
}

void write_records(QueryContext& context, Posting posting, std::int32_t partitions,
                   Responder responder) {
  if (auto fault = fault_of(posting, partitions)) return responder.send(*std::move(fault));
  auto* producer = context.producer();
  if (!producer) return responder.send(shutting_down());
  if (posting.posted.records.empty()) return responder.send({.body = R"({"items":[]})"});
  sending_of(posting, std::move(responder))
      ->start(*producer, std::move(posting.posted.records), context.clock().wall_clock());
}

// Writes what an earlier request with the same key has not. Blocks.
void write_once(QueryContext& context, const std::shared_ptr<PostedKeys>& keys, Posting posting,
                std::int32_t partitions, Responder responder) {
  const auto caught_up =
      keys->catch_up(posting.topic, partitions, [&] { return context.reader().closing(); });
  if (!caught_up) {
    keys->end(posting.topic, posting.key);
    return responder.send(failed(caught_up.error()));
  }
  auto& records = posting.posted.records;
  const auto sending = sending_of(posting, std::move(responder));
  sending->when_done([keys, topic = posting.topic, key = posting.key] { keys->end(topic, key); });
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto* place = keys->find(posting.topic, posting.key, i);
    if (place && place->content != PostedKeys::content_of(records[i].key, records[i].value)) {
      return sending->refuse(problem(409, "idempotency_key_reused",
                                     "the Idempotency-Key belongs to other records",
                                     "nothing was written"));
    }
    if (place) sending->is_there(i, *place);
    PostedKeys::mark(records[i], posting.key, i);
  }
  auto* producer = context.producer();
  if (!producer) return sending->refuse(shutting_down());
  sending->start(*producer, std::move(records), context.clock().wall_clock());
}

void write_once_later(const ContextPtr& context, const std::shared_ptr<PostedKeys>& keys,
                      Posting posting, std::int32_t partitions, Responder responder) {
  if (auto fault = fault_of(posting, partitions)) return responder.send(*std::move(fault));
  if (!keys->begin(posting.topic, posting.key)) {
    return responder.send(problem(409, "request_under_way",
                                  "a request with this Idempotency-Key is under way",
                                  "repeat it when that is answered"));
  }
  struct Job {
    Posting posting;
    Responder responder;
  };
  const auto job = std::make_shared<Job>(std::move(posting), std::move(responder));
  const bool accepted = context->reader().post([context, keys, job, partitions] {
    write_once(*context, keys, std::move(job->posting), partitions, std::move(job->responder));
  });
  if (accepted) return;
  keys->end(job->posting.topic, job->posting.key);
  job->responder.send(QueryContext::busy());
}

void post_records(const ContextPtr& context, const std::shared_ptr<PostedKeys>& keys,
                  HttpRequest& request, Responder responder) {
  Posting posting{.topic = std::string(request.param("topic")),
                  .key = std::string(request.header("Idempotency-Key").value_or("")),
                  .posted = {}};
  if (context->internal_topic(posting.topic)) {
    return responder.send(problem(403, "internal_topic",
                                  "'" + posting.topic + "' is written by its application alone"));
  }
  if (posting.key.size() > kKeyBytesMax) {
    return responder.send(
        problem(400, "bad_idempotency_key",
                "the Idempotency-Key is longer than " + std::to_string(kKeyBytesMax) + " bytes",
                "nothing was written"));
  }
  auto posted = read_posted(request.body(), request.header("Content-Type").value_or(""),
                            context->topic_schemas(posting.topic));
  if (!posted) return responder.send(invalid_record(posted.error().message));
  posting.posted = *std::move(posted);
  auto name = posting.topic;
  context->with_topic(
      std::move(name), std::move(responder),
      [context, keys, posting = std::move(posting)](Responder later,
                                                    std::int32_t partitions) mutable {
        if (posting.key.empty()) {
          return write_records(*context, std::move(posting), partitions, std::move(later));
        }
        write_once_later(context, keys, std::move(posting), partitions, std::move(later));
      });
}

}  // namespace

void add_record_routes(const ContextPtr& context) {
  if (!context->options().topics_writable) return;
  const auto keys = std::make_shared<PostedKeys>(context->log(), context->clock());
  context->server().route("POST", "/v1/topics/{topic}/records",
                          [context, keys](HttpRequest& request, Responder responder) {
                            post_records(context, keys, request, std::move(responder));
                          });
}

}  // namespace thalweg::internal
