#include "kafka/kafka_client.h"

#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>

namespace thalweg::internal {

namespace {

constexpr int kSyslogError = 3;
constexpr int kSyslogWarning = 4;

// Kafka's numbers of requests that make the way of a member into its group.
constexpr int16_t kJoinGroup = 11;
constexpr int16_t kHeartbeat = 12;
constexpr int16_t kLeaveGroup = 13;
constexpr int16_t kSyncGroup = 14;
// How long a member that is to leave waits for its first assignment. Less than the reaper waits.
constexpr auto kFirstJoinLongest = std::chrono::seconds(4);
// How long after a heartbeat's answer, which may say that the group joins anew, librdkafka does it.
constexpr auto kUntilItJoins = std::chrono::milliseconds(20);

// Requests that belong to a transaction, by Kafka's numbers.
bool is_of_transaction(int16_t api) {
  return api == 0 /* Produce */ || api == 24 /* AddPartitionsToTxn */ ||
         api == 25 /* AddOffsetsToTxn */ || api == 26 /* EndTxn */ ||
         api == 28 /* TxnOffsetCommit */;
}

}  // namespace

Result<std::shared_ptr<KafkaClient>> KafkaClient::make(rd_kafka_type_t type, RdConf conf,
                                                       std::shared_ptr<Reaper> reaper) {
  std::unique_ptr<KafkaClient> client(new KafkaClient);
  rd_kafka_conf_set_opaque(conf.get(), client.get());
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  if (type == RD_KAFKA_CONSUMER) rd_kafka_conf_set_rebalance_cb(conf.get(), on_rebalance);
  if (type == RD_KAFKA_PRODUCER) {
    rd_kafka_conf_set_dr_msg_cb(conf.get(), on_delivery);
    rd_kafka_conf_interceptor_add_on_new(conf.get(), "thalweg", on_new_producer, client.get());
  } else {
    rd_kafka_conf_interceptor_add_on_new(conf.get(), "thalweg", on_new_consumer, client.get());
  }
  char said[512] = "";
  client->rd_ = rd_kafka_new(type, conf.get(), said, sizeof said);
  if (!client->rd_) {
    return failure(ErrorCode::kInvalid, "Kafka client: " + std::string(said));
  }
  (void)conf.release();  // rd_kafka_new() has taken it.
  return std::shared_ptr<KafkaClient>(client.release(), [reaper](KafkaClient* ended) {
    reaper->run([ended] {
      if (ended->end()) delete ended;
    });
  });
}

bool KafkaClient::end() {
  listener_ = nullptr;
  const auto deadline = std::chrono::steady_clock::now() + kFirstJoinLongest;
  while (is_amid_first_join() && std::chrono::steady_clock::now() < deadline) {
    constexpr int kPollMs = 20;
    if (auto* message = rd_kafka_consumer_poll(rd_, kPollMs)) rd_kafka_message_destroy(message);
  }
  if (finish_) finish_(rd_);
  if (is_amid_first_join()) {
    rd_kafka_set_log_level(rd_, 0);
    return false;
  }
  rd_kafka_destroy_flags(rd_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  return true;
}

std::string KafkaClient::last_fault() const {
  std::lock_guard lock(mutex_);
  return last_fault_;
}

rd_kafka_resp_err_t KafkaClient::on_new_producer(rd_kafka_t* rd, const rd_kafka_conf_t*, void* self,
                                                 char*, size_t) {
  rd_kafka_interceptor_add_on_send(rd, "thalweg", on_send, self);
  return rd_kafka_interceptor_add_on_response_received(rd, "thalweg", on_response, self);
}

rd_kafka_resp_err_t KafkaClient::on_new_consumer(rd_kafka_t* rd, const rd_kafka_conf_t*, void* self,
                                                 char*, size_t) {
  rd_kafka_interceptor_add_on_request_sent(rd, "thalweg", on_group_request, self);
  return rd_kafka_interceptor_add_on_response_received(rd, "thalweg", on_group_response, self);
}

// It joins from the first request of the join on until the one that it sends as a member of the new
// generation. Both go to the coordinator, through the same connection as commits of offsets.
rd_kafka_resp_err_t KafkaClient::on_group_request(rd_kafka_t*, int, const char*, int32_t,
                                                  int16_t api, int16_t, int32_t, size_t,
                                                  void* self) {
  auto& client = *static_cast<KafkaClient*>(self);
  if (api == kJoinGroup) client.is_joining_.store(true, std::memory_order_release);
  if (api == kSyncGroup || api == kLeaveGroup) {
    client.is_joining_.store(false, std::memory_order_release);
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t KafkaClient::on_group_response(rd_kafka_t*, int, const char*, int32_t,
                                                   int16_t api, int16_t, int32_t, size_t, int64_t,
                                                   rd_kafka_resp_err_t, void* self) {
  auto& client = *static_cast<KafkaClient*>(self);
  if (api == kHeartbeat) client.expect_join();
  if (api != kJoinGroup) return RD_KAFKA_RESP_ERR_NO_ERROR;
  client.join_answered_.store(true, std::memory_order_release);
  if (const auto gate = std::exchange(client.join_gate_, nullptr)) gate->come();
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void KafkaClient::expect_join() {
  join_expected_until_.store(std::chrono::steady_clock::now() + kUntilItJoins,
                             std::memory_order_release);
}

void KafkaClient::wake() const { RdGroup(rd_kafka_consumer_group_metadata(rd_)); }

bool KafkaClient::is_joining() const {
  return is_joining_.load(std::memory_order_acquire) ||
         std::chrono::steady_clock::now() < join_expected_until_.load(std::memory_order_acquire);
}

// librdkafka has no way to give a record the time 0: it is put in place of the mark that send() has
// left, in the part of the message that follows its public one.
rd_kafka_resp_err_t KafkaClient::on_send(rd_kafka_t*, rd_kafka_message_t* message, void*) {
  rd_kafka_timestamp_type_t type;
  if (rd_kafka_message_timestamp(message, &type) != kEpochMark) return RD_KAFKA_RESP_ERR_NO_ERROR;
  constexpr std::size_t kSearched = 64;
  auto* bytes = reinterpret_cast<char*>(message) + sizeof(rd_kafka_message_t);
  for (std::size_t at = 0; at < kSearched; at += sizeof(std::int64_t)) {
    std::int64_t word = 0;
    std::memcpy(&word, bytes + at, sizeof word);
    if (word != kEpochMark) continue;
    word = 0;
    std::memcpy(bytes + at, &word, sizeof word);
    break;
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t KafkaClient::on_response(rd_kafka_t*, int, const char*, int32_t, int16_t api,
                                             int16_t, int32_t, size_t, int64_t,
                                             rd_kafka_resp_err_t code, void* self) {
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__DESTROY &&
      is_of_transaction(api)) {
    static_cast<KafkaClient*>(self)->tainted_.store(true, std::memory_order_release);
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void KafkaClient::on_log(const rd_kafka_t* rd, int level, const char* facility, const char* text) {
  // Properties of all clients are no mistake.
  const bool idle = std::string_view(facility) == "CONFWARN";
  const auto severity = level <= kSyslogError && !idle     ? spdlog::level::warn
                        : level <= kSyslogWarning && !idle ? spdlog::level::info
                                                           : spdlog::level::debug;
  spdlog::log(severity, "librdkafka {} {}: {}", rd_kafka_name(rd), facility, text);
}

void KafkaClient::on_error(rd_kafka_t* rd, int code, const char* reason, void* self) {
  auto& client = *static_cast<KafkaClient*>(self);
  spdlog::debug("{}: {}", rd_kafka_name(rd), reason);
  std::lock_guard lock(client.mutex_);
  // That all brokers are down says less than what was said before it.
  const bool empty = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && !client.last_fault_.empty();
  if (!empty) client.last_fault_ = reason;
}

void KafkaClient::on_rebalance(rd_kafka_t* rd, rd_kafka_resp_err_t code,
                               rd_kafka_topic_partition_list_t* partitions, void* self) {
  auto& client = *static_cast<KafkaClient*>(self);
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    client.assigned_.store(true, std::memory_order_release);
  }
  if (ClientListener* listener = client.listener_) {
    listener->on_rebalance(code, *partitions);
    return;
  }
  const std::string_view protocol = rd_kafka_rebalance_protocol(rd);
  if (protocol == "COOPERATIVE" && code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
    RdError(rd_kafka_incremental_unassign(rd, partitions));
  } else if (protocol == "COOPERATIVE" && code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    RdError(rd_kafka_incremental_assign(rd, partitions));
  } else {
    rd_kafka_assign(rd, nullptr);
  }
}

void KafkaClient::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  if (ClientListener* listener = static_cast<KafkaClient*>(self)->listener_) {
    listener->on_delivery(*message);
  }
}

}  // namespace thalweg::internal
