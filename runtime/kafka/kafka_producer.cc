#include "kafka/kafka_producer.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "kafka/header_bytes.h"

namespace thalweg::internal {

namespace {

using namespace std::chrono_literals;

constexpr auto kUntilThereIsRoom = 1ms;
constexpr auto kInitLongest = 30s;
constexpr auto kResolve = 3s;  // A worker waits for it; then it tries again from what is committed.

}  // namespace

KafkaProducer::KafkaProducer(std::shared_ptr<KafkaShared> shared, const ProducerOptions& options)
    : shared_(std::move(shared)),
      transactions_(std::make_shared<Transactions>(shared_, options)),
      thread_(std::make_unique<SerialThread>([t = transactions_.get()] { t->serve(); },
                                             [t = transactions_.get()] { t->interrupt(); })) {}

KafkaProducer::~KafkaProducer() {
  transactions_->wakeup().close();
  transactions_->close();
  // What is under way may take as long as a broker lets it, and deliveries write into the topics.
  struct Remains {
    std::deque<Topic> topics;
    std::shared_ptr<Transactions> transactions;
    std::unique_ptr<SerialThread> thread;  // Ends first.
  };
  auto remains =
      std::make_shared<Remains>(std::move(topics_), std::move(transactions_), std::move(thread_));
  shared_->reaper->run([remains = std::move(remains)]() mutable { remains.reset(); });
}

void KafkaProducer::post(void (Transactions::*operation)()) {
  thread_->post([t = transactions_.get(), operation] { (t->*operation)(); });
}

void KafkaProducer::wait_for(std::chrono::milliseconds longest, ProducerEvent::Kind outcome) {
  if (!transactions_->transactional()) return;
  waiting_ = Waiting{std::chrono::steady_clock::now() + longest, outcome};
}

void KafkaProducer::init() {
  if (!transactions_->make_client()) return;
  wait_for(kInitLongest, ProducerEvent::Kind::kFailed);
  post(&Transactions::init);
}

void KafkaProducer::begin() { transactions_->begin(); }

void KafkaProducer::push() { post(&Transactions::push); }

void KafkaProducer::flush() {
  wait_for(2 * transactions_->patience(), ProducerEvent::Kind::kFailed);
  post(&Transactions::flush);
}

void KafkaProducer::commit() {
  wait_for(2 * transactions_->patience(), ProducerEvent::Kind::kOutcomeUnknown);
  post(&Transactions::commit);
}

void KafkaProducer::abort() {
  wait_for(2 * transactions_->patience(), ProducerEvent::Kind::kFailed);
  post(&Transactions::abort);
}

void KafkaProducer::send_offsets(const std::map<TopicPartition, OffsetAndMetadata>& offsets,
                                 const GroupMetadata& group) {
  wait_for(2 * transactions_->patience(), ProducerEvent::Kind::kFailed);
  thread_->post([t = transactions_.get(), offsets, group] { t->send_offsets(offsets, group); });
}

// The watchdog: a call of librdkafka that does not come back, whatever timeout it was given, must
// not hold up the worker. Its producer is of no further use, and its thread is left to itself.
bool KafkaProducer::poll(ProducerEvent& event) {
  if (transactions_->poll(event)) {
    waiting_.reset();
    return true;
  }
  if (!waiting_ || std::chrono::steady_clock::now() < waiting_->until) return false;
  event = {.kind = waiting_->outcome,
           .error = {ErrorCode::kUnavailable, "a call of librdkafka does not come back"}};
  waiting_.reset();
  return true;
}

TopicHandle KafkaProducer::topic(std::string_view name) {
  const auto known = std::ranges::find(topics_, name, &Topic::name);
  if (known != topics_.end()) return static_cast<TopicHandle>(known - topics_.begin());
  topics_.push_back({.name = std::string(name)});
  return static_cast<TopicHandle>(topics_.size() - 1);
}

Status KafkaProducer::resolve(Topic& topic) {
  if (topic.ends.empty()) {
    const auto count = shared_->insist([&] { return shared_->partitions(topic.name); }, kResolve);
    if (!count) return std::unexpected(count.error());
    for (std::int32_t i = 0; i < *count; ++i) topic.ends.push_back({.partition = i});
  }
  if (!topic.handle && transactions_->client()) topic.handle = transactions_->topic(topic.name);
  if (topic.handle) return {};
  return failure(ErrorCode::kUnavailable, "the producer is not ready for topic " + topic.name);
}

Result<std::int32_t> KafkaProducer::partitions(TopicHandle handle) {
  Topic& topic = topics_.at(handle);
  if (auto resolved = resolve(topic); !resolved) return std::unexpected(resolved.error());
  return static_cast<std::int32_t>(topic.ends.size());
}

Status KafkaProducer::send(TopicHandle handle, std::int32_t partition, std::optional<BytesView> key,
                           std::optional<BytesView> value, Timestamp timestamp, BytesView headers) {
  Topic& topic = topics_.at(handle);
  if (auto resolved = resolve(topic); !resolved) return resolved;
  if (partition < 0 || static_cast<std::size_t>(partition) >= topic.ends.size()) {
    return failure(ErrorCode::kInvalid,
                   "topic " + topic.name + " has no partition " + std::to_string(partition));
  }
  const std::int64_t millis = to_millis(timestamp);
  rd_kafka_headers_t* list = headers.empty() ? nullptr : decoded_headers(headers);
  static const char kEmpty[] = "";  // A null pointer would be a null value.
  const auto bytes = [](const std::optional<BytesView>& view) -> void* {
    if (!view) return nullptr;
    return const_cast<char*>(view->data() ? view->data() : kEmpty);
  };
  const std::size_t key_size = key ? key->size() : 0;
  const std::size_t value_size = value ? value->size() : 0;
  transactions_->sending();
  rd_kafka_resp_err_t code;
  do {
    code = rd_kafka_producev(
        transactions_->client(), RD_KAFKA_V_RKT(topic.handle), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(bytes(key), key_size),
        RD_KAFKA_V_VALUE(bytes(value), value_size),
        RD_KAFKA_V_TIMESTAMP(millis == 0 ? KafkaClient::kEpochMark : millis),
        RD_KAFKA_V_HEADERS(list),
        RD_KAFKA_V_OPAQUE(&topic.ends[static_cast<std::size_t>(partition)]), RD_KAFKA_V_END);
    // Full is what keeps a worker from running ahead of the brokers; each record in the queue
    // leaves it at its timeout at the latest.
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) std::this_thread::sleep_for(kUntilThereIsRoom);
  } while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  if (list) rd_kafka_headers_destroy(list);
  return std::unexpected(error_of(code, "topic " + topic.name + ", a record of " +
                                            std::to_string(key_size + value_size) + " bytes"));
}

Offset KafkaProducer::delivered_end(TopicHandle handle, std::int32_t partition) const {
  const Topic& topic = topics_.at(handle);
  if (partition < 0 || static_cast<std::size_t>(partition) >= topic.ends.size()) return kNoOffset;
  const DeliveredEnd& delivered = topic.ends[static_cast<std::size_t>(partition)];
  const bool is_known = delivered.transaction == transactions_->number() && delivered.is_known;
  return is_known ? delivered.end : kNoOffset;
}

}  // namespace thalweg::internal
