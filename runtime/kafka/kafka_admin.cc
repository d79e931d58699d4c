// What Kafka's admin API does for the log: requests whose answers are events of a queue.

#include <algorithm>
#include <charconv>
#include <thread>

#include "kafka/client_settings.h"
#include "kafka/kafka_log_impl.h"

namespace thalweg::internal {

namespace {

using namespace std::chrono_literals;

using RdNewTopic = RdHandle<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>;
using RdDeleteTopic = RdHandle<rd_kafka_DeleteTopic_t, rd_kafka_DeleteTopic_destroy>;
using RdDeleteRecords = RdHandle<rd_kafka_DeleteRecords_t, rd_kafka_DeleteRecords_destroy>;
using RdConfigResource = RdHandle<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy>;
using RdListOffsets =
    RdHandle<rd_kafka_ListConsumerGroupOffsets_t, rd_kafka_ListConsumerGroupOffsets_destroy>;
using RdAdminOptions = RdHandle<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;

constexpr auto kUntilLeadersAreKnown = 20ms;
// librdkafka aborts the process when a request to a group's coordinator times out before that is
// connected (#4605 there). So these never do: whoever has asked stops waiting, and the answer goes
// with its queue.
constexpr int kNeverMs = 3'600'000;

/// One request and its answer.
class AdminRequest {
 public:
  /// `lasts_ms`: when the client itself gives the request up.
  AdminRequest(rd_kafka_t* client, rd_kafka_admin_op_t operation, int timeout_ms, int lasts_ms)
      : options_(rd_kafka_AdminOptions_new(client, operation)),
        queue_(rd_kafka_queue_new(client)),
        timeout_ms_(timeout_ms) {
    char said[128];
    rd_kafka_AdminOptions_set_request_timeout(options_.get(), lasts_ms, said, sizeof said);
  }
  AdminRequest(rd_kafka_t* client, rd_kafka_admin_op_t operation, int timeout_ms)
      : AdminRequest(client, operation, timeout_ms, timeout_ms) {}
  rd_kafka_AdminOptions_t* options() { return options_.get(); }
  rd_kafka_queue_t* queue() { return queue_.get(); }
  Result<RdEvent> answer(const std::string& what) {
    RdEvent event(rd_kafka_queue_poll(queue_.get(), timeout_ms_ + 1000));
    if (!event) return failure(ErrorCode::kUnavailable, what + ": no answer from Kafka");
    if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return std::unexpected(error_of(code, what, rd_kafka_event_error_string(event.get())));
    }
    return event;
  }

 private:
  RdAdminOptions options_;
  RdQueue queue_;
  int timeout_ms_;
};

std::string_view name_of(CleanupPolicy policy) {
  switch (policy) {
    case CleanupPolicy::kDelete:
      return "delete";
    case CleanupPolicy::kCompact:
      return "compact";
    case CleanupPolicy::kCompactAndDelete:
      return "compact,delete";
  }
  return "delete";
}

// What the topic shall have, from what every topic has to what this one has of its own.
std::map<std::string, std::string> settings_of(const TopicSpec& spec,
                                               const KafkaLogOptions& options) {
  std::map<std::string, std::string> settings = {
      {"cleanup.policy", std::string(name_of(spec.cleanup))}};
  if (spec.cleanup != CleanupPolicy::kCompact) {
    settings["retention.ms"] = std::to_string(std::max<std::int64_t>(-1, spec.retention.count()));
  } else if (spec.retention.count() >= 0) {
    settings["retention.ms"] = std::to_string(spec.retention.count());
  }
  if (spec.min_compaction_lag.count() > 0) {
    settings["min.compaction.lag.ms"] = std::to_string(spec.min_compaction_lag.count());
  }
  for (const auto& [key, value] : topic_properties(options)) settings[key] = value;
  for (const auto& [key, value] : spec.configs) settings[key] = value;
  return settings;
}

void take_setting(TopicSpec& topic, std::string_view name, std::string_view value, bool is_own) {
  if (name == "cleanup.policy") {
    const bool compacts = value.contains("compact");
    const bool deletes = value.contains("delete");
    topic.cleanup = compacts && deletes ? CleanupPolicy::kCompactAndDelete
                    : compacts          ? CleanupPolicy::kCompact
                                        : CleanupPolicy::kDelete;
  } else if (name == "retention.ms") {
    std::int64_t millis = -1;
    std::from_chars(value.data(), value.data() + value.size(), millis);
    topic.retention = std::chrono::milliseconds(millis);
  } else if (name == "min.compaction.lag.ms") {
    std::int64_t millis = 0;
    std::from_chars(value.data(), value.data() + value.size(), millis);
    topic.min_compaction_lag = std::chrono::milliseconds(millis);
  } else if (is_own) {
    topic.configs[std::string(name)] = value;
  }
}

// The error of the only topic of an answer.
Status status_of(const rd_kafka_topic_result_t* const* topics, std::size_t count,
                 const std::string& what) {
  if (count == 0) return {};
  const auto code = rd_kafka_topic_result_error(topics[0]);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return std::unexpected(error_of(code, what, rd_kafka_topic_result_error_string(topics[0])));
}

}  // namespace

Status KafkaLog::request_topic(const TopicSpec& spec) {
  const std::string what = "making topic " + spec.name;
  char said[256] = "";
  const RdNewTopic topic(rd_kafka_NewTopic_new(
      spec.name.c_str(), spec.partitions, shared_->options.replication_factor, said, sizeof said));
  if (!topic) return failure(ErrorCode::kInvalid, what + ": " + said);
  for (const auto& [key, value] : settings_of(spec, shared_->options)) {
    rd_kafka_NewTopic_set_config(topic.get(), key.c_str(), value.c_str());
  }
  AdminRequest request(client(), RD_KAFKA_ADMIN_OP_CREATETOPICS, shared_->timeout_ms());
  rd_kafka_NewTopic_t* topics[] = {topic.get()};
  rd_kafka_CreateTopics(client(), topics, 1, request.options(), request.queue());
  const auto answer = request.answer(what);
  if (!answer) return std::unexpected(answer.error());
  std::size_t count = 0;
  const auto* results = rd_kafka_CreateTopics_result_topics(
      rd_kafka_event_CreateTopics_result(answer->get()), &count);
  return status_of(results, count, what);
}

// A topic is made before every broker knows of it, whoever has made it: two processes that start
// together make the same ones, and one of them is told that they exist.
Status KafkaLog::wait_for_leaders(const std::string& topic) {
  const auto deadline = std::chrono::steady_clock::now() + shared_->options.request_timeout;
  for (;;) {
    const auto leaders = shared_->leaders(topic);
    if (leaders && leaders->led == leaders->partitions) {
      shared_->remember(topic, leaders->partitions);
      return {};
    }
    if (std::chrono::steady_clock::now() > deadline) {
      return failure(ErrorCode::kUnavailable,
                     "topic " + topic + " was made, but not all its partitions have leaders");
    }
    std::this_thread::sleep_for(kUntilLeadersAreKnown);
  }
}

Status KafkaLog::request_deletion(const std::string& name) {
  const std::string what = "deleting topic " + name;
  const RdDeleteTopic topic(rd_kafka_DeleteTopic_new(name.c_str()));
  AdminRequest request(client(), RD_KAFKA_ADMIN_OP_DELETETOPICS, shared_->timeout_ms());
  rd_kafka_DeleteTopic_t* topics[] = {topic.get()};
  rd_kafka_DeleteTopics(client(), topics, 1, request.options(), request.queue());
  const auto answer = request.answer(what);
  if (!answer) return std::unexpected(answer.error());
  std::size_t count = 0;
  const auto* results = rd_kafka_DeleteTopics_result_topics(
      rd_kafka_event_DeleteTopics_result(answer->get()), &count);
  return status_of(results, count, what);
}

void KafkaLog::delete_records(const TopicPartition& partition, Offset before) {
  const auto list = make_partitions(1);
  rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition)
      ->offset = before;
  rd_kafka_DeleteRecords_t* requests[] = {rd_kafka_DeleteRecords_new(list.get())};
  const RdDeleteRecords request(requests[0]);
  // Whoever asks does not wait, and asks again before long: the answer goes with its queue.
  const RdQueue nobody(rd_kafka_queue_new(client()));
  rd_kafka_DeleteRecords(client(), requests, 1, nullptr, nobody.get());
}

Status KafkaLog::add_settings(std::vector<TopicSpec>& topics) const {
  std::vector<RdConfigResource> resources;
  std::vector<rd_kafka_ConfigResource_t*> pointers;
  for (const auto& topic : topics) {
    resources.emplace_back(
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.name.c_str()));
    pointers.push_back(resources.back().get());
  }
  AdminRequest request(client(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, shared_->timeout_ms());
  rd_kafka_DescribeConfigs(client(), pointers.data(), pointers.size(), request.options(),
                           request.queue());
  const auto answer = request.answer("the settings of topics");
  if (!answer) return std::unexpected(answer.error());
  std::size_t count = 0;
  const auto* found = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(answer->get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto topic = std::ranges::find(
        topics, std::string_view(rd_kafka_ConfigResource_name(found[i])), &TopicSpec::name);
    if (topic == topics.end()) continue;
    std::size_t entries = 0;
    const auto* entry = rd_kafka_ConfigResource_configs(found[i], &entries);
    for (std::size_t e = 0; e < entries; ++e) {
      const char* value = rd_kafka_ConfigEntry_value(entry[e]);
      const bool is_own =
          rd_kafka_ConfigEntry_source(entry[e]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG;
      if (value) take_setting(*topic, rd_kafka_ConfigEntry_name(entry[e]), value, is_own);
    }
  }
  return {};
}

std::map<TopicPartition, OffsetAndMetadata> KafkaLog::committed(const std::string& group) const {
  rd_kafka_ListConsumerGroupOffsets_t* requests[] = {
      rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), nullptr)};
  const RdListOffsets request_group(requests[0]);
  const auto asker = shared_->asker_of_groups();
  AdminRequest request(asker->get(), RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS,
                       shared_->timeout_ms(), kNeverMs);
  rd_kafka_ListConsumerGroupOffsets(asker->get(), requests, 1, request.options(), request.queue());
  const auto answer = request.answer("the offsets of group " + group);
  if (!answer) {
    shared_->replace_asker_of_groups(asker);
    return {};
  }
  std::size_t count = 0;
  const auto* groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(answer->get()), &count);
  if (count == 0) return {};
  if (rd_kafka_group_result_error(groups[0])) {  // As of a broker that led the group before.
    shared_->replace_asker_of_groups(asker);
    return {};
  }
  const auto* list = rd_kafka_group_result_partitions(groups[0]);
  return list ? offsets_of(*list) : std::map<TopicPartition, OffsetAndMetadata>{};
}

Result<std::vector<GroupMember>> KafkaLog::members(const std::string& group) const {
  const auto asker = shared_->asker_of_groups();
  auto members = describe_group(asker->get(), group);
  if (!members) shared_->replace_asker_of_groups(asker);
  return members;
}

Result<std::vector<GroupMember>> KafkaLog::describe_group(rd_kafka_t* client,
                                                          const std::string& group) const {
  const char* groups[] = {group.c_str()};
  AdminRequest request(client, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, shared_->timeout_ms(),
                       kNeverMs);
  rd_kafka_DescribeConsumerGroups(client, groups, 1, request.options(), request.queue());
  const auto answer = request.answer("the members of group " + group);
  if (!answer) return std::unexpected(answer.error());
  std::size_t count = 0;
  const auto* described = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(answer->get()), &count);
  std::vector<GroupMember> members;
  if (count == 0) return members;
  if (const auto* fault = rd_kafka_ConsumerGroupDescription_error(described[0])) {
    return std::unexpected(error_of(rd_kafka_error_code(fault), "the members of group " + group,
                                    rd_kafka_error_string(fault)));
  }
  const std::size_t size = rd_kafka_ConsumerGroupDescription_member_count(described[0]);
  for (std::size_t i = 0; i < size; ++i) {
    const auto* member = rd_kafka_ConsumerGroupDescription_member(described[0], i);
    GroupMember shown{.client_id = rd_kafka_MemberDescription_client_id(member)};
    if (const auto* assignment = rd_kafka_MemberDescription_assignment(member)) {
      const auto* list = rd_kafka_MemberAssignment_partitions(assignment);
      if (list) shown.partitions = partitions_of(*list);
    }
    members.push_back(std::move(shown));
  }
  return members;
}

}  // namespace thalweg::internal
