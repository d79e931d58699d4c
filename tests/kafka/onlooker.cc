#include <stdexcept>

#include <librdkafka/rdkafka.h>

#include "kafka/patient_log.h"

namespace thalweg::testing {

namespace {

constexpr int kTimeoutMs = 10'000;

rd_kafka_t* make_client(const std::string& servers, const char* isolation) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char said[256] = "";
  rd_kafka_conf_set(conf, "bootstrap.servers", servers.c_str(), said, sizeof said);
  rd_kafka_conf_set(conf, "isolation.level", isolation, said, sizeof said);
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, said, sizeof said);
  if (!client) throw std::runtime_error(said);
  return client;
}

Offset end_of(rd_kafka_t* client, const TopicPartition& partition) {
  Offset begin = 0;
  Offset end = kNoOffset;
  rd_kafka_query_watermark_offsets(client, partition.topic.c_str(), partition.partition, &begin,
                                   &end, kTimeoutMs);
  return end;
}

}  // namespace

struct Onlooker::Clients {
  rd_kafka_t* committed;
  rd_kafka_t* all;
};

Onlooker::Onlooker(const std::string& servers)
    : clients_(new Clients{make_client(servers, "read_committed"),
                           make_client(servers, "read_uncommitted")}) {}

Onlooker::~Onlooker() {
  rd_kafka_destroy(clients_->committed);
  rd_kafka_destroy(clients_->all);
}

Offset Onlooker::stable_end(const TopicPartition& partition) {
  return end_of(clients_->committed, partition);
}

Offset Onlooker::end(const TopicPartition& partition) { return end_of(clients_->all, partition); }

std::optional<Onlooker::Group> Onlooker::group(const std::string& name) {
  const char* names[] = {name.c_str()};
  rd_kafka_queue_t* queue = rd_kafka_queue_new(clients_->all);
  rd_kafka_DescribeConsumerGroups(clients_->all, names, 1, nullptr, queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, kTimeoutMs);
  std::optional<Group> found;
  if (event && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    std::size_t count = 0;
    const auto* groups = rd_kafka_DescribeConsumerGroups_result_groups(
        rd_kafka_event_DescribeConsumerGroups_result(event), &count);
    const auto state = count == 1 ? rd_kafka_ConsumerGroupDescription_state(groups[0])
                                  : RD_KAFKA_CONSUMER_GROUP_STATE_UNKNOWN;
    if (state == RD_KAFKA_CONSUMER_GROUP_STATE_STABLE ||
        state == RD_KAFKA_CONSUMER_GROUP_STATE_EMPTY) {
      found = Group{};
      const auto members = rd_kafka_ConsumerGroupDescription_member_count(groups[0]);
      found->members = static_cast<int>(members);
      for (std::size_t i = 0; i < members; ++i) {
        const auto* member = rd_kafka_ConsumerGroupDescription_member(groups[0], i);
        found->partitions +=
            rd_kafka_MemberAssignment_partitions(rd_kafka_MemberDescription_assignment(member))
                ->cnt;
      }
    }
  }
  if (event) rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  return found;
}

}  // namespace thalweg::testing
