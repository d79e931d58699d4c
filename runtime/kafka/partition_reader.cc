#include "kafka/partition_reader.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "kafka/client_settings.h"
#include "kafka/header_bytes.h"

namespace thalweg::internal {

namespace {

/// What the views of a batch point into.
struct Messages {
  ~Messages() {
    for (rd_kafka_message_t* message : messages) rd_kafka_message_destroy(message);
  }
  std::shared_ptr<KafkaClient> client;  ///< Messages must not outlive it.
  std::vector<rd_kafka_message_t*> messages;
  std::deque<std::string> headers;
};

std::optional<BytesView> view_of(const void* bytes, std::size_t size) {
  if (!bytes) return std::nullopt;
  return BytesView(static_cast<const char*>(bytes), size);
}

RecordView view_of(const rd_kafka_message_t& message, Messages& owner) {
  rd_kafka_timestamp_type_t type;
  RecordView view{.offset = message.offset,
                  .timestamp = from_millis(rd_kafka_message_timestamp(&message, &type)),
                  .key = view_of(message.key, message.key_len),
                  .value = view_of(message.payload, message.len),
                  .headers = {}};
  if (auto headers = encoded_headers(message); !headers.empty()) {
    view.headers = owner.headers.emplace_back(std::move(headers));
  }
  return view;
}

}  // namespace

PartitionReader::PartitionReader(std::shared_ptr<KafkaShared> shared, std::string client_id,
                                 bool read_committed, std::shared_ptr<ConsumerMailbox> mailbox)
    : shared_(std::move(shared)),
      client_id_(std::move(client_id)),
      read_committed_(read_committed),
      mailbox_(std::move(mailbox)) {}

PartitionReader::~PartitionReader() {
  for (auto& reading : readings_) stop(*reading);
  readings_.clear();
  topics_.clear();
  // What it is asking may take as long as a broker lets it.
  if (waker_) shared_->reaper->run([waker = std::shared_ptr<FetchWaker>(std::move(waker_))] {});
}

void PartitionReader::post(ConsumerEvent event) {
  mailbox_->post(std::move(event));
  mailbox_->wakeup.call();
}

bool PartitionReader::open() {
  if (client_) return true;
  const FixedProperty fixed[] = {
      {"isolation.level", read_committed_ ? "read_committed" : "read_uncommitted"},
      {"auto.offset.reset", "error"},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"enable.partition.eof", "true"},
      {"allow.auto.create.topics", "false"}};
  auto conf = client_conf(ClientKind::kReader, shared_->options, client_id_, fixed);
  if (!conf) {
    post({.kind = ConsumerEvent::Kind::kFailed, .error = conf.error()});
    return false;
  }
  auto client = KafkaClient::make(RD_KAFKA_CONSUMER, *std::move(conf), shared_->reaper);
  if (!client) {
    post({.kind = ConsumerEvent::Kind::kFailed, .error = client.error()});
    return false;
  }
  client_ = *std::move(client);
  waker_ = std::make_unique<FetchWaker>();
  return true;
}

rd_kafka_topic_t* PartitionReader::topic(const std::string& name) {
  auto& handle = topics_[name];
  if (!handle) handle.reset(rd_kafka_topic_new(client_->get(), name.c_str(), nullptr));
  return handle.get();
}

void PartitionReader::assign(const TopicPartition& partition, Offset from, std::uint32_t tag) {
  unassign(partition);
  if (!open()) return;
  auto reading = std::make_unique<Reading>();
  reading->partition = partition;
  reading->tag = tag;
  reading->expected = from;
  reading->queue.reset(rd_kafka_queue_new(client_->get()));
  reading->arrival = std::make_unique<Arrival>();
  reading->arrival->mailbox = mailbox_.get();
  rd_kafka_queue_cb_event_enable(
      reading->queue.get(),
      [](rd_kafka_t*, void* self) {
        auto& arrival = *static_cast<Arrival*>(self);
        arrival.ready.store(true, std::memory_order_release);
        arrival.mailbox->wakeup.call();
      },
      reading->arrival.get());
  if (rd_kafka_consume_start_queue(topic(partition.topic), partition.partition, from,
                                   reading->queue.get()) != 0) {
    post({.kind = ConsumerEvent::Kind::kFailed,
          .partitions = {partition},
          .error = error_of(rd_kafka_last_error(), "reading " + to_string(partition))});
    return;
  }
  reading->state = std::make_shared<ReadPartition>(partition);
  waker_->add(client_, reading->state);
  readings_.push_back(std::move(reading));
}

void PartitionReader::stop(Reading& reading) {
  waker_->remove(reading.state.get());
  rd_kafka_queue_cb_event_enable(reading.queue.get(), nullptr, nullptr);
  rd_kafka_consume_stop(topic(reading.partition.topic), reading.partition.partition);
}

void PartitionReader::unassign(const TopicPartition& partition) {
  const auto found = std::ranges::find_if(
      readings_, [&](const auto& reading) { return reading->partition == partition; });
  if (found == readings_.end()) return;
  stop(**found);
  readings_.erase(found);
}

void PartitionReader::pause(const TopicPartition& partition, bool paused) {
  for (auto& reading : readings_) {
    if (reading->partition == partition) reading->paused = paused;
  }
}

bool PartitionReader::fetch(std::vector<RecordBatch>& into, std::size_t max_records) {
  if (readings_.empty()) return false;
  const std::size_t before = into.size();
  const std::size_t share = std::max<std::size_t>(1, max_records / readings_.size());
  std::size_t left = max_records;
  ++first_;
  // Each its share first, so that none waits for another; then what is left to whoever has more.
  for (bool more = true; more && left > 0;) {
    more = false;
    for (std::size_t i = 0; i < readings_.size() && left > 0; ++i) {
      Reading& reading = *readings_[(first_ + i) % readings_.size()];
      if (reading.stopped || reading.paused) continue;
      if (!reading.arrival->ready.load(std::memory_order_acquire)) continue;
      const std::size_t taken = take(reading, std::min(share, left), into);
      left -= std::min(left, taken);
      more |= taken > 0;
    }
  }
  return into.size() > before;
}

// Returns how many messages there were, of which some may have been no records.
std::size_t PartitionReader::take(Reading& reading, std::size_t records_max,
                                  std::vector<RecordBatch>& into) {
  scratch_.resize(records_max);
  // First the mark, then the look: what comes in between sets the mark again.
  reading.arrival->ready.store(false, std::memory_order_release);
  const ssize_t count =
      rd_kafka_consume_batch_queue(reading.queue.get(), 0, scratch_.data(), records_max);
  const bool is_drained = rd_kafka_queue_length(reading.queue.get()) == 0;
  if (!is_drained) reading.arrival->ready.store(true, std::memory_order_release);
  if (count <= 0) return 0;
  auto owner = std::make_shared<Messages>();
  owner->client = client_;
  owner->messages.assign(scratch_.begin(), scratch_.begin() + count);
  RecordBatch batch{.tag = reading.tag};
  batch.records.reserve(static_cast<std::size_t>(count));
  const Offset position = reading.expected;
  bool at_end = false;
  for (const rd_kafka_message_t* message : owner->messages) {
    if (reading.stopped) break;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      // The only word of control and aborted records at the end, and of the last stable offset.
      reading.expected = std::max(reading.expected, message->offset);
      at_end = reading.expected == message->offset;
    } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      on_fault(reading, *message);
    } else if (message->offset >= reading.expected) {
      batch.records.push_back(view_of(*message, *owner));
      reading.expected = message->offset + 1;
      at_end = false;
    }
  }
  batch.next = reading.expected;
  batch.end = at_end ? batch.next : end_of(reading);
  note_hunger(reading, is_drained && !reading.stopped && batch.end > batch.next);
  if (reading.expected == position && !at_end) return static_cast<std::size_t>(count);
  batch.commit = shared_->durability.visible();
  if (!batch.records.empty()) batch.memory = std::move(owner);
  into.push_back(std::move(batch));
  return static_cast<std::size_t>(count);
}

// The high watermark that the last answer told. The last stable offset, which committed readers
// stop at, is told by the end of the partition alone.
Offset PartitionReader::end_of(const Reading& reading) const {
  std::int64_t low = 0;
  std::int64_t high = 0;
  rd_kafka_get_watermark_offsets(client_->get(), reading.partition.topic.c_str(),
                                 reading.partition.partition, &low, &high);
  return std::max(reading.expected, high);
}

// Drained short of the end that the last answer told: librdkafka may sleep before it fetches on.
void PartitionReader::note_hunger(Reading& reading, bool hungry) {
  reading.state->hungry = hungry;
  if (hungry) waker_->wake();
}

void PartitionReader::on_fault(Reading& reading, const rd_kafka_message_t& message) {
  const auto what =
      "reading " + to_string(reading.partition) + " at offset " + std::to_string(reading.expected);
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      // It may be the answer to a fetch of an earlier reading of the partition: librdkafka (2.0)
      // does not tell it from this one's, and has ended this one. The message has the offset.
      reading.stopped = true;
      post({.kind = ConsumerEvent::Kind::kOutOfRange,
            .partitions = {reading.partition},
            .error = error_of(message.err, "offset " + std::to_string(message.offset),
                              rd_kafka_message_errstr(&message))});
      break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:  // A codec that this build of librdkafka lacks.
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR__FATAL:
      reading.stopped = true;
      post({.kind = ConsumerEvent::Kind::kFailed,
            .partitions = {reading.partition},
            .error = error_of(message.err, what, rd_kafka_message_errstr(&message))});
      break;
    default:
      break;  // Brokers come and go; librdkafka tries again.
  }
}

}  // namespace thalweg::internal
