#include "kafka/doorkeeper.h"

#include <chrono>

#include <spdlog/spdlog.h>

#include "kafka/client_settings.h"

namespace thalweg::internal {

namespace {

constexpr auto kUntilItIsIn = std::chrono::milliseconds(500);
constexpr int kPollMs = 5;

Result<std::shared_ptr<KafkaClient>> enter(const KafkaShared& shared, const std::string& group,
                                           const std::string& client_id,
                                           const std::vector<std::string>& topics) {
  const FixedProperty fixed[] = {
      {"group.id", group}, {"enable.auto.commit", "false"}, {"allow.auto.create.topics", "false"}};
  auto conf = client_conf(ClientKind::kMember, shared.options, client_id, fixed);
  if (!conf) return std::unexpected(conf.error());
  auto keeper = KafkaClient::make(RD_KAFKA_CONSUMER, *std::move(conf), shared.reaper);
  if (!keeper) return keeper;
  (*keeper)->set_finish([](rd_kafka_t* rd) { rd_kafka_consumer_close(rd); });
  const auto gate = std::make_shared<JoinGate>();
  gate->expect();
  (*keeper)->set_join_gate(gate);  // Which it passes alone.
  rd_kafka_poll_set_consumer((*keeper)->get());
  const auto subscription = make_topics(topics);
  rd_kafka_subscribe((*keeper)->get(), subscription.get());
  return keeper;
}

}  // namespace

std::shared_ptr<KafkaClient> keep_door(KafkaShared& shared, const std::string& group,
                                       const std::string& client_id,
                                       const std::vector<std::string>& topics,
                                       const std::atomic<bool>& gone) {
  const auto members = shared.members(group);
  if (!members || !members->empty()) return nullptr;
  const auto keeper = enter(shared, group, client_id, topics);
  if (!keeper) {
    spdlog::debug("group {}: {}", group, keeper.error().message);
    return nullptr;
  }
  const auto deadline = std::chrono::steady_clock::now() + kUntilItIsIn;
  while (!gone && !(*keeper)->is_assigned() && std::chrono::steady_clock::now() < deadline) {
    if (auto* message = rd_kafka_consumer_poll((*keeper)->get(), kPollMs)) {
      rd_kafka_message_destroy(message);
    }
  }
  return *keeper;
}

}  // namespace thalweg::internal
