#include <algorithm>

#include "embedded/check_topic.h"
#include "kafka/client_settings.h"
#include "kafka/kafka_consumer.h"
#include "kafka/kafka_log_impl.h"
#include "kafka/kafka_producer.h"

namespace thalweg {

namespace internal {

namespace {

// Topics that Kafka keeps for itself.
bool is_kafkas_own(std::string_view topic) { return topic.starts_with("__"); }

}  // namespace

KafkaLog::~KafkaLog() {
  const auto reaper = shared_->reaper;
  shared_.reset();
  reaper->wait();
}

std::unique_ptr<LogConsumer> KafkaLog::consumer(const ConsumerOptions& options) {
  return std::make_unique<KafkaConsumer>(shared_, options);
}

std::unique_ptr<LogProducer> KafkaLog::producer(const ProducerOptions& options) {
  return std::make_unique<KafkaProducer>(shared_, options);
}

Result<std::vector<TopicSpec>> KafkaLog::topics() const {
  return shared_->insist([this] { return list_topics(); });
}

Result<std::vector<TopicSpec>> KafkaLog::list_topics() const {
  const rd_kafka_metadata_t* metadata = nullptr;
  std::vector<TopicSpec> topics;
  const auto code = rd_kafka_metadata(client(), 1, nullptr, &metadata, shared_->timeout_ms());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::unexpected(error_of(code, "listing the topics"));
  }
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const auto& topic = metadata->topics[i];
    if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR || is_kafkas_own(topic.topic)) continue;
    topics.push_back({.name = topic.topic, .partitions = topic.partition_cnt});
  }
  rd_kafka_metadata_destroy(metadata);
  std::ranges::sort(topics, {}, &TopicSpec::name);
  if (topics.empty()) return topics;
  if (auto added = add_settings(topics); !added) return std::unexpected(added.error());
  return topics;
}

Result<TopicSpec> KafkaLog::topic(const std::string& name) const {
  const auto leaders = shared_->insist([&] { return shared_->leaders(name); });
  if (!leaders) return std::unexpected(leaders.error());
  std::vector<TopicSpec> specs{{.name = name, .partitions = leaders->partitions}};
  if (auto added = shared_->insist([&] { return add_settings(specs); }); !added) {
    return std::unexpected(added.error());
  }
  shared_->remember(name, leaders->partitions);
  return specs.front();
}

Status KafkaLog::create_topic(const TopicSpec& spec) {
  if (auto valid = check_topic(spec); !valid) return valid;
  const auto created = shared_->insist([&] { return request_topic(spec); });
  const bool exists = !created && created.error().code == ErrorCode::kAlreadyExists;
  if (!created && !exists) return created;
  const auto led = shared_->insist([&] { return wait_for_leaders(spec.name); });
  if (!led) return led;
  return created;
}

Status KafkaLog::delete_topic(const std::string& name) {
  shared_->forget(name);
  return request_deletion(name);
}

Result<ConsumerEvent::Range> KafkaLog::range(const TopicPartition& partition) const {
  return shared_->range(partition);
}

std::string KafkaLog::cluster_id() const {
  char* id = rd_kafka_clusterid(client(), shared_->timeout_ms());
  if (!id) return {};
  std::string copy(id);
  rd_kafka_mem_free(client(), id);
  return copy;
}

Result<std::unique_ptr<Log>> KafkaLog::open(const KafkaLogOptions& options) {
  auto shared = std::make_shared<KafkaShared>();
  shared->options = options;
  shared->reaper = std::make_shared<Reaper>();
  // The other kinds too, so that a property that there is not is known before anything starts.
  for (const auto kind : {ClientKind::kMember, ClientKind::kReader, ClientKind::kProducer}) {
    if (auto other = client_conf(kind, options, options.client_id, {}); !other) {
      return std::unexpected(other.error());
    }
  }
  auto asker = shared->make_asker();
  if (!asker) return std::unexpected(asker.error());
  shared->asker = *std::move(asker);
  auto log = std::make_unique<KafkaLog>(std::move(shared));
  if (auto reached = log->reach(); !reached) return std::unexpected(reached.error());
  return std::unique_ptr<Log>(std::move(log));
}

// Asks who is there; what went wrong on the way is heard by polling.
Status KafkaLog::reach() {
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto code = rd_kafka_metadata(client(), 0, nullptr, &metadata, shared_->timeout_ms());
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_metadata_destroy(metadata);
    return {};
  }
  rd_kafka_poll(client(), 0);
  Error error = error_of(code, "no answer from Kafka at " + shared_->options.bootstrap_servers,
                         shared_->asker->last_fault().c_str());
  error.code = ErrorCode::kUnavailable;
  return std::unexpected(std::move(error));
}

}  // namespace internal

Result<std::unique_ptr<Log>> open_kafka_log(const KafkaLogOptions& options) {
  return internal::KafkaLog::open(options);
}

}  // namespace thalweg
