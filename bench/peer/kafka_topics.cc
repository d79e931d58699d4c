#include "peer/kafka_topics.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <unordered_set>

#include <librdkafka/rdkafka.h>

namespace thalweg::bench {
namespace {

template <auto Destroy>
struct Destroyer {
  template <typename T>
  void operator()(T* object) const {
    Destroy(object);
  }
};
using ClientHandle = std::unique_ptr<rd_kafka_t, Destroyer<rd_kafka_destroy>>;
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, Destroyer<rd_kafka_topic_destroy>>;
using QueueHandle = std::unique_ptr<rd_kafka_queue_t, Destroyer<rd_kafka_queue_destroy>>;
using EventHandle = std::unique_ptr<rd_kafka_event_t, Destroyer<rd_kafka_event_destroy>>;
using NewTopicHandle = std::unique_ptr<rd_kafka_NewTopic_t, Destroyer<rd_kafka_NewTopic_destroy>>;
using DeleteTopicHandle =
    std::unique_ptr<rd_kafka_DeleteTopic_t, Destroyer<rd_kafka_DeleteTopic_destroy>>;
using PartitionsHandle = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                         Destroyer<rd_kafka_topic_partition_list_destroy>>;
using MetadataHandle =
    std::unique_ptr<const rd_kafka_metadata_t, Destroyer<rd_kafka_metadata_destroy>>;
using Settings = std::vector<std::pair<std::string, std::string>>;
using Error = std::array<char, 512>;

constexpr int kPatienceMs = 30'000;

void check(rd_kafka_resp_err_t error, const std::string& doing) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  throw std::runtime_error(doing + ": " + rd_kafka_err2str(error));
}

using Delivered = void (*)(rd_kafka_t*, const rd_kafka_message_t*, void*);

ClientHandle open_client(rd_kafka_type_t type, const std::string& bootstrap, Settings settings,
                         Delivered delivered = nullptr, void* opaque = nullptr) {
  Error error{};
  settings.emplace_back("bootstrap.servers", bootstrap);
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [key, value] : settings) {
    if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), error.data(), error.size()) !=
        RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      throw std::runtime_error(error.data());
    }
  }
  if (delivered != nullptr) rd_kafka_conf_set_dr_msg_cb(conf, delivered);
  rd_kafka_conf_set_opaque(conf, opaque);
  ClientHandle client(rd_kafka_new(type, conf, error.data(), error.size()));
  if (!client) throw std::runtime_error(error.data());
  return client;
}

ClientHandle open_admin(const std::string& bootstrap) {
  return open_client(RD_KAFKA_PRODUCER, bootstrap, {});
}

MetadataHandle metadata_of(rd_kafka_t* client, rd_kafka_topic_t* topic) {
  const rd_kafka_metadata_t* found = nullptr;
  check(rd_kafka_metadata(client, topic == nullptr ? 1 : 0, topic, &found, kPatienceMs),
        "asking for topics");
  return MetadataHandle(found);
}

void check_results(const rd_kafka_topic_result_t** results, std::size_t count,
                   rd_kafka_resp_err_t allowed) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto error = rd_kafka_topic_result_error(results[i]);
    if (error != allowed) check(error, rd_kafka_topic_result_name(results[i]));
  }
}

NewTopicHandle new_topic(const TopicSpec& spec) {
  constexpr int kDefaultReplication = -1;
  Error error{};
  NewTopicHandle topic(rd_kafka_NewTopic_new(spec.name.c_str(), spec.partitions,
                                             kDefaultReplication, error.data(), error.size()));
  if (!topic) throw std::runtime_error(spec.name + ": " + error.data());
  for (const auto& [key, value] : spec.settings) {
    check(rd_kafka_NewTopic_set_config(topic.get(), key.c_str(), value.c_str()), spec.name);
  }
  return topic;
}

EventHandle next_event(rd_kafka_queue_t* queue, const std::string& doing) {
  EventHandle event(rd_kafka_queue_poll(queue, kPatienceMs));
  if (!event) throw std::runtime_error(doing + ": the cluster does not answer");
  check(rd_kafka_event_error(event.get()), doing);
  return event;
}

}  // namespace

void create_topics(const std::string& bootstrap, const std::vector<TopicSpec>& topics) {
  const ClientHandle client = open_admin(bootstrap);
  std::vector<NewTopicHandle> owned;
  std::vector<rd_kafka_NewTopic_t*> wanted;
  for (const auto& spec : topics) wanted.push_back(owned.emplace_back(new_topic(spec)).get());
  const QueueHandle queue(rd_kafka_queue_new(client.get()));
  rd_kafka_CreateTopics(client.get(), wanted.data(), wanted.size(), nullptr, queue.get());
  const EventHandle event = next_event(queue.get(), "creating topics");
  std::size_t count = 0;
  const auto* result = rd_kafka_event_CreateTopics_result(event.get());
  check_results(rd_kafka_CreateTopics_result_topics(result, &count), count,
                RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS);
}

std::size_t delete_topics(const std::string& bootstrap, const std::vector<std::string>& prefixes) {
  const ClientHandle client = open_admin(bootstrap);
  std::vector<DeleteTopicHandle> owned;
  std::vector<rd_kafka_DeleteTopic_t*> unwanted;
  for (const auto& topic : list_topics(bootstrap)) {
    const auto begins = [&](const auto& prefix) { return topic.name.starts_with(prefix); };
    if (std::ranges::none_of(prefixes, begins)) continue;
    owned.emplace_back(rd_kafka_DeleteTopic_new(topic.name.c_str()));
    unwanted.push_back(owned.back().get());
  }
  if (unwanted.empty()) return 0;
  const QueueHandle queue(rd_kafka_queue_new(client.get()));
  rd_kafka_DeleteTopics(client.get(), unwanted.data(), unwanted.size(), nullptr, queue.get());
  const EventHandle event = next_event(queue.get(), "deleting topics");
  std::size_t count = 0;
  const auto* result = rd_kafka_event_DeleteTopics_result(event.get());
  check_results(rd_kafka_DeleteTopics_result_topics(result, &count), count,
                RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  return unwanted.size();
}

std::vector<TopicSize> list_topics(const std::string& bootstrap) {
  const ClientHandle client = open_admin(bootstrap);
  const MetadataHandle metadata = metadata_of(client.get(), nullptr);
  std::vector<TopicSize> sizes;
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const auto& topic = metadata->topics[i];
    TopicSize size{topic.topic, topic.partition_cnt, 0};
    for (int partition = 0; partition < topic.partition_cnt; ++partition) {
      std::int64_t low = 0;
      std::int64_t high = 0;
      check(rd_kafka_query_watermark_offsets(client.get(), topic.topic, partition, &low, &high,
                                             kPatienceMs),
            size.name);
      size.records += high - low;
    }
    sizes.push_back(std::move(size));
  }
  return sizes;
}

struct TopicWriter::Client {
  std::int64_t failed = 0;
  ClientHandle producer;
  TopicHandle topic;
};

TopicWriter::TopicWriter(const std::string& bootstrap, const std::string& topic, Pace pace)
    : client_(std::make_unique<Client>()) {
  const bool bulk = pace == Pace::kBulk;
  const auto count_failed = [](rd_kafka_t*, const rd_kafka_message_t* message, void* client) {
    if (message->err) ++static_cast<Client*>(client)->failed;
  };
  client_->producer = open_client(RD_KAFKA_PRODUCER, bootstrap,
                                  {{"linger.ms", bulk ? "50" : "1"},
                                   {"queue.buffering.max.messages", "500000"},
                                   {"queue.buffering.max.kbytes", "1000000"},
                                   {"batch.size", "1000000"},
                                   {"batch.num.messages", "20000"},
                                   {"enable.idempotence", bulk ? "true" : "false"},
                                   {"acks", "-1"},
                                   {"partitioner", "murmur2_random"}},
                                  count_failed, client_.get());
  client_->topic.reset(rd_kafka_topic_new(client_->producer.get(), topic.c_str(), nullptr));
  if (!client_->topic) check(rd_kafka_last_error(), topic);
}
TopicWriter::~TopicWriter() = default;

void TopicWriter::put(std::optional<BytesView> key, BytesView value, std::int64_t timestamp_ms) {
  constexpr int kFullWaitMs = 2;
  const BytesView bytes = key.value_or(BytesView{});
  const char* const key_data = key ? bytes.data() : nullptr;
  while (true) {
    const auto error =
        rd_kafka_producev(client_->producer.get(), RD_KAFKA_V_RKT(client_->topic.get()),
                          RD_KAFKA_V_KEY(key_data, bytes.size()),
                          RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                          RD_KAFKA_V_TIMESTAMP(timestamp_ms),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) return check(error, "writing");
    rd_kafka_poll(client_->producer.get(), kFullWaitMs);
  }
}

void TopicWriter::poll() { rd_kafka_poll(client_->producer.get(), 0); }

std::int64_t TopicWriter::flush() {
  check(rd_kafka_flush(client_->producer.get(), 4 * kPatienceMs), "writing");
  return client_->failed;
}

struct TopicReader::Client {
  ClientHandle consumer;
  QueueHandle queue;
  int partitions = 0;
  std::unordered_set<int> ended;
  std::array<rd_kafka_message_t*, 5'000> batch;
};

TopicReader::TopicReader(const std::string& bootstrap, const std::string& topic, From from)
    : client_(std::make_unique<Client>()) {
  client_->consumer = open_client(RD_KAFKA_CONSUMER, bootstrap,
                                  {{"group.id", "topic-tool"},
                                   {"enable.auto.commit", "false"},
                                   {"isolation.level", "read_committed"},
                                   {"enable.partition.eof", "true"},
                                   {"queued.min.messages", "200000"},
                                   {"fetch.wait.max.ms", "100"},
                                   {"fetch.error.backoff.ms", "10"}});
  rd_kafka_t* consumer = client_->consumer.get();
  check(rd_kafka_poll_set_consumer(consumer), "reading");
  const TopicHandle handle(rd_kafka_topic_new(consumer, topic.c_str(), nullptr));
  const MetadataHandle metadata = metadata_of(consumer, handle.get());
  const auto& found = metadata->topics[0];
  check(found.err, topic);
  client_->partitions = found.partition_cnt;
  const PartitionsHandle all(rd_kafka_topic_partition_list_new(found.partition_cnt));
  for (int partition = 0; partition < client_->partitions; ++partition) {
    rd_kafka_topic_partition_list_add(all.get(), topic.c_str(), partition)->offset =
        from == From::kBeginning ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END;
  }
  check(rd_kafka_assign(consumer, all.get()), topic);
  client_->queue.reset(rd_kafka_queue_get_consumer(consumer));
}
TopicReader::~TopicReader() = default;

void TopicReader::read(int wait_ms, const std::function<void(const Record&)>& record) {
  const auto bytes = [](const void* data, std::size_t size) {
    return BytesView(static_cast<const char*>(data), size);
  };
  auto& batch = client_->batch;
  const auto count =
      rd_kafka_consume_batch_queue(client_->queue.get(), wait_ms, batch.data(), batch.size());
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    rd_kafka_message_t& message = *batch[static_cast<std::size_t>(i)];
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      client_->ended.insert(message.partition);
    } else if (!message.err) {
      record({message.partition, rd_kafka_message_timestamp(&message, nullptr),
              bytes(message.key, message.key_len), bytes(message.payload, message.len),
              message.payload == nullptr});
    }
    rd_kafka_message_destroy(&message);
  }
}

bool TopicReader::at_end() const {
  return std::cmp_equal(client_->ended.size(), client_->partitions);
}

int TopicReader::partitions() const { return client_->partitions; }

}  // namespace thalweg::bench
