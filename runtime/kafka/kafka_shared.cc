#include "kafka/kafka_shared.h"

#include <chrono>
#include <thread>
#include <utility>

#include "kafka/client_settings.h"

namespace thalweg::internal {

namespace {

constexpr int kTryMs = 500;  // One try of a question that sometimes is lost.
// How long some broker may not have heard of a topic that others know.
constexpr auto kHearsay = std::chrono::seconds(10);
constexpr auto kAskAgain = std::chrono::milliseconds(20);

}  // namespace

Result<std::shared_ptr<KafkaClient>> KafkaShared::make_asker() {
  const FixedProperty fixed[] = {{"isolation.level", "read_uncommitted"},
                                 {"allow.auto.create.topics", "false"}};
  auto conf = client_conf(ClientKind::kAdmin, options, options.client_id, fixed);
  if (!conf) return std::unexpected(conf.error());
  return KafkaClient::make(RD_KAFKA_CONSUMER, *std::move(conf), reaper);
}

std::shared_ptr<KafkaClient> KafkaShared::asker_of_groups() {
  std::lock_guard lock(mutex_);
  return asker_of_groups_ ? asker_of_groups_ : asker;
}

void KafkaShared::replace_asker_of_groups(const std::shared_ptr<KafkaClient>& used) {
  if (asker_of_groups() != used) return;
  auto made = make_asker();
  if (!made) return;
  std::lock_guard lock(mutex_);
  asker_of_groups_ = *std::move(made);
}

Result<std::int32_t> KafkaShared::partitions(const std::string& topic) {
  {
    std::lock_guard lock(mutex_);
    if (const auto found = partitions_.find(topic); found != partitions_.end()) {
      return found->second;
    }
  }
  const auto led = leaders(topic);
  if (!led) return std::unexpected(led.error());
  remember(topic, led->partitions);
  return led->partitions;
}

// Any broker may be asked, and each hears of a new topic at a time of its own.
Result<KafkaShared::Leaders> KafkaShared::leaders(const std::string& topic) {
  const auto deadline = std::chrono::steady_clock::now() + kHearsay;
  for (;;) {
    auto led = ask_for_leaders(topic);
    if (led || led.error().code != ErrorCode::kNotFound || !is_known(topic) ||
        std::chrono::steady_clock::now() > deadline) {
      return led;
    }
    std::this_thread::sleep_for(kAskAgain);
  }
}

Result<KafkaShared::Leaders> KafkaShared::ask_for_leaders(const std::string& topic) {
  const RdTopic handle(rd_kafka_topic_new(asker->get(), topic.c_str(), nullptr));
  if (!handle) return failure(ErrorCode::kNotFound, "there is no topic '" + topic + "'");
  const rd_kafka_metadata_t* metadata = nullptr;
  auto code = rd_kafka_metadata(asker->get(), 0, handle.get(), &metadata, timeout_ms());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::unexpected(error_of(code, "topic " + topic));
  }
  Leaders leaders;
  code = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  if (metadata->topic_cnt == 1) {
    code = metadata->topics[0].err;
    leaders.partitions = metadata->topics[0].partition_cnt;
    for (std::int32_t i = 0; i < leaders.partitions; ++i) {
      leaders.led += metadata->topics[0].partitions[i].leader >= 0;
    }
  }
  rd_kafka_metadata_destroy(metadata);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return leaders;
  return std::unexpected(error_of(code, "topic " + topic));
}

void KafkaShared::remember(const std::string& topic, std::int32_t partitions) {
  std::lock_guard lock(mutex_);
  partitions_[topic] = partitions;
}

void KafkaShared::forget(const std::string& topic) {
  std::lock_guard lock(mutex_);
  partitions_.erase(topic);
}

bool KafkaShared::is_known(const std::string& topic) {
  std::lock_guard lock(mutex_);
  return partitions_.contains(topic);
}

std::vector<std::string> KafkaShared::known_topics() {
  std::lock_guard lock(mutex_);
  std::vector<std::string> topics;
  for (const auto& [topic, count] : partitions_) topics.push_back(topic);
  return topics;
}

Result<ConsumerEvent::Range> KafkaShared::range(const TopicPartition& partition) {
  const auto began = std::chrono::steady_clock::now();
  for (;;) {
    ConsumerEvent::Range range;
    const auto code =
        rd_kafka_query_watermark_offsets(asker->get(), partition.topic.c_str(), partition.partition,
                                         &range.begin, &range.end, kTryMs);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return range;
    Error error = error_of(code, "the ends of " + to_string(partition));
    // The client learns of a topic from a broker that may not have heard of it, either.
    const bool is_hearsay = error.code == ErrorCode::kNotFound && is_known(partition.topic) &&
                            partition.partition < partitions(partition.topic).value_or(0);
    const std::chrono::milliseconds patience = is_hearsay ? kHearsay : options.request_timeout;
    if ((error.code != ErrorCode::kUnavailable && !is_hearsay) ||
        std::chrono::steady_clock::now() > began + patience) {
      return std::unexpected(std::move(error));
    }
    if (is_hearsay) std::this_thread::sleep_for(kAskAgain);
    // A leader that moved is found by asking, not by waiting.
    if (auto led = leaders(partition.topic); !led) return std::unexpected(led.error());
  }
}

Result<Offset> KafkaShared::first_since(const TopicPartition& partition, Timestamp time) {
  const auto list = partitions_at(std::vector{partition}, to_millis(time));
  auto code = rd_kafka_offsets_for_times(asker->get(), list.get(), timeout_ms());
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = list->elems[0].err;
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::unexpected(error_of(code, "the offset of a time in " + to_string(partition)));
  }
  return list->elems[0].offset < 0 ? kNoOffset : list->elems[0].offset;
}

void KafkaShared::add_member(const std::string& member,
                             const std::shared_ptr<KafkaClient>& client) {
  std::lock_guard lock(mutex_);
  std::erase_if(members_, [](const auto& item) { return item.second.expired(); });
  members_[member] = client;
}

std::shared_ptr<JoinGate> KafkaShared::join_gate(const std::string& group) {
  std::lock_guard lock(mutex_);
  auto& gate = join_gates_[group];
  if (!gate) gate = std::make_shared<JoinGate>();
  return gate;
}

std::shared_ptr<KafkaClient> KafkaShared::member(const std::string& member) {
  std::lock_guard lock(mutex_);
  const auto found = members_.find(member);
  return found == members_.end() ? nullptr : found->second.lock();
}

}  // namespace thalweg::internal
