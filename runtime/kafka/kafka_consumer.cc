#include "kafka/kafka_consumer.h"

#include <cstring>
#include <utility>

#include <spdlog/spdlog.h>

#include "kafka/client_settings.h"

namespace thalweg::internal {

namespace {

using namespace std::chrono_literals;

// How often a question is asked again that a broker cannot answer yet.
constexpr auto kAskAgain = 50ms;
// librdkafka's thread sleeps up to a second, also when it is to join again or its heartbeat is due.
constexpr auto kWakeEvery = 100ms;

/// The members of the group metadata: librdkafka gives them in this form only. A magic word, the
/// generation, then group, member and (after a mark) instance, each with a zero at the end.
bool parse_metadata(std::string_view bytes, GroupMetadata& metadata) {
  constexpr std::string_view kMagic = "CGMDv2:";
  if (!bytes.starts_with(kMagic)) return false;
  bytes.remove_prefix(kMagic.size());
  if (bytes.size() < sizeof metadata.generation) return false;
  std::memcpy(&metadata.generation, bytes.data(), sizeof metadata.generation);
  bytes.remove_prefix(sizeof metadata.generation);
  for (std::string* field : {&metadata.group, &metadata.member}) {
    const auto end = bytes.find('\0');
    if (end == bytes.npos) return false;
    *field = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace

KafkaConsumer::KafkaConsumer(std::shared_ptr<KafkaShared> shared, const ConsumerOptions& options)
    : shared_(std::move(shared)),
      options_(options),
      reader_(shared_, options.client_id, options.read_committed, mailbox_) {
  if (!options_.group.empty()) join();
}

KafkaConsumer::~KafkaConsumer() {
  leave();
  *gone_ = true;
  mailbox_->wakeup.close();
  if (!asker_) return;
  // What it is asking may take as long as a broker lets it.
  shared_->reaper->run([asker = std::shared_ptr<SerialThread>(std::move(asker_))] {});
}

void KafkaConsumer::post(ConsumerEvent event) {
  mailbox_->post(std::move(event));
  mailbox_->wakeup.call();
}

// --- Membership -------------------------------------------------------------------------------

// Makes the member, which can ask for committed offsets at once and joins by subscribe().
void KafkaConsumer::join() {
  std::vector<FixedProperty> fixed = {
      {"group.id", options_.group},          {"isolation.level", "read_committed"},
      {"auto.offset.reset", "error"},        {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"}, {"allow.auto.create.topics", "false"}};
  if (!options_.instance.empty()) fixed.push_back({"group.instance.id", options_.instance});
  auto conf = client_conf(ClientKind::kMember, shared_->options, options_.client_id, fixed);
  if (!conf) {
    post({.kind = ConsumerEvent::Kind::kFailed, .error = conf.error()});
    return;
  }
  auto client = KafkaClient::make(RD_KAFKA_CONSUMER, *std::move(conf), shared_->reaper);
  if (!client) {
    post({.kind = ConsumerEvent::Kind::kFailed, .error = client.error()});
    return;
  }
  member_ = *std::move(client);
  member_->set_finish([](rd_kafka_t* rd) { rd_kafka_consumer_close(rd); });
  member_->set_listener(this);
  rd_kafka_poll_set_consumer(member_->get());
  member_queue_.reset(rd_kafka_queue_get_consumer(member_->get()));
  rd_kafka_queue_cb_event_enable(
      member_queue_.get(),
      [](rd_kafka_t*, void* mailbox) { static_cast<ConsumerMailbox*>(mailbox)->wakeup.call(); },
      mailbox_.get());
  asker_ = std::make_unique<SerialThread>();
}

void KafkaConsumer::subscribe(const std::vector<std::string>& topics) {
  if (!member_) return;
  if (options_.instance.empty()) {  // A static member brings its id along.
    const auto gate = shared_->join_gate(options_.group);
    gate->expect();
    member_->set_join_gate(gate);
  }
  asker_->post([shared = shared_, member = member_, mailbox = mailbox_, gone = gone_, topics] {
    // A member that does not know a topic yet would be given nothing of it for seconds.
    for (const auto& topic : topics) {
      auto known = shared->partitions(topic);
      while (!known && known.error().code == ErrorCode::kUnavailable && !*gone) {
        std::this_thread::sleep_for(kAskAgain);
        known = shared->partitions(topic);
      }
      if (known) continue;
      mailbox->post({.kind = ConsumerEvent::Kind::kFailed, .error = known.error()});
      mailbox->wakeup.call();
      return;
    }
    const auto list = make_partitions(topics.size());
    for (const auto& topic : topics) {
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    }
    const auto code = rd_kafka_subscribe(member->get(), list.get());
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    mailbox->post({.kind = ConsumerEvent::Kind::kFailed, .error = error_of(code, "joining")});
    mailbox->wakeup.call();
  });
}

bool KafkaConsumer::cooperative() const {
  const char* protocol = rd_kafka_rebalance_protocol(member_->get());
  return protocol && std::string_view(protocol) == "COOPERATIVE";
}

void KafkaConsumer::on_rebalance(rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t& list) {
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    take_up(list);
  } else if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
    auto partitions = partitions_of(list);
    if (rd_kafka_assignment_lost(member_->get())) {
      give_up(list);
      revoking_.reset();
      mailbox_->post({.kind = ConsumerEvent::Kind::kLost, .partitions = std::move(partitions)});
    } else if (partitions.empty()) {
      give_up(list);
    } else {
      revoking_.reset(rd_kafka_topic_partition_list_copy(&list));
      mailbox_->post({.kind = ConsumerEvent::Kind::kRevoking, .partitions = std::move(partitions)});
    }
  } else {
    spdlog::warn("group {}: {}", options_.group, rd_kafka_err2str(code));
    rd_kafka_assign(member_->get(), nullptr);
  }
}

void KafkaConsumer::take_up(rd_kafka_topic_partition_list_t& list) {
  // There is nothing in these topics: what counts is who has which partition.
  for (int i = 0; i < list.cnt; ++i) list.elems[i].offset = RD_KAFKA_OFFSET_END;
  if (cooperative()) {
    RdError(rd_kafka_incremental_assign(member_->get(), &list));
  } else {
    rd_kafka_assign(member_->get(), &list);
  }
  // Each change of the group assigns, mostly nothing; only the first time that is news.
  if (std::exchange(assigned_once_, true) && list.cnt == 0) return;
  mailbox_->post({.kind = ConsumerEvent::Kind::kAssigned, .partitions = partitions_of(list)});
}

void KafkaConsumer::give_up(const rd_kafka_topic_partition_list_t& list) {
  if (cooperative()) {
    RdError(rd_kafka_incremental_unassign(member_->get(), &list));
  } else {
    rd_kafka_assign(member_->get(), nullptr);
  }
}

void KafkaConsumer::release(const std::vector<TopicPartition>& partitions) {
  if (!member_ || !revoking_ || partitions.empty()) return;
  const auto list = std::exchange(revoking_, {});
  member_->expect_join();
  give_up(*list);
}

GroupMetadata KafkaConsumer::group_metadata() const {
  GroupMetadata metadata{.group = options_.group, .instance = options_.instance};
  if (!member_) return metadata;
  const RdGroup group(rd_kafka_consumer_group_metadata(member_->get()));
  if (!group) return metadata;
  const void* bytes = nullptr;
  std::size_t size = 0;
  if (const RdError error(
          rd_kafka_consumer_group_metadata_write(group.get(), const_cast<void**>(&bytes), &size));
      error) {
    return metadata;
  }
  const bool understood = parse_metadata({static_cast<const char*>(bytes), size}, metadata);
  rd_kafka_mem_free(member_->get(), const_cast<void*>(bytes));
  if (!understood) {
    throw std::logic_error(
        "this version of librdkafka writes group metadata in a form that is "
        "not known here");
  }
  if (!metadata.member.empty()) shared_->add_member(metadata.member, member_);
  return metadata;
}

void KafkaConsumer::leave() {
  if (!member_) return;
  rd_kafka_queue_cb_event_enable(member_queue_.get(), nullptr, nullptr);
  member_queue_.reset();
  member_->set_listener(nullptr);
  revoking_.reset();
  mailbox_->forget_assignments();
  member_.reset();  // The reaper takes it out of the group.
}

// --- Questions --------------------------------------------------------------------------------

void KafkaConsumer::serve_member() {
  if (!member_) return;
  if (const auto now = std::chrono::steady_clock::now(); now >= next_wake_) {
    next_wake_ = now + kWakeEvery;
    member_->wake();
  }
  while (rd_kafka_message_t* message = rd_kafka_consumer_poll(member_->get(), 0)) {
    if (message->err == RD_KAFKA_RESP_ERR__FATAL) {
      char said[256] = "";
      const auto code = rd_kafka_fatal_error(member_->get(), said, sizeof said);
      mailbox_->post({.kind = ConsumerEvent::Kind::kFailed,
                      .error = error_of(code, "group " + options_.group, said)});
    } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR &&
               message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      auto error =
          error_of(message->err, "group " + options_.group, rd_kafka_message_errstr(message));
      spdlog::debug("{}", error.message);
      if (message->err == RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL && !told_of_others_) {
        // Such as of Kafka Streams, of which one that has just ended stays until its session has.
        told_of_others_ = true;
        spdlog::warn("{}: waiting until members of another kind have left", error.message);
      }
      // A right that is missing, for example: librdkafka would try for ever.
      if (error.code == ErrorCode::kInvalid) {
        mailbox_->post({.kind = ConsumerEvent::Kind::kFailed, .error = std::move(error)});
      }
    }
    rd_kafka_message_destroy(message);
  }
}

bool KafkaConsumer::poll(ConsumerEvent& event) {
  if (mailbox_->take(event)) return true;
  serve_member();
  return mailbox_->take(event);
}

void KafkaConsumer::fetch_committed(const std::vector<TopicPartition>& partitions) {
  if (!member_) {
    post({.kind = ConsumerEvent::Kind::kCommitted, .partitions = partitions});
    return;
  }
  asker_->post([shared = shared_, member = member_, mailbox = mailbox_, gone = gone_, partitions] {
    ConsumerEvent answer{.kind = ConsumerEvent::Kind::kCommitted, .partitions = partitions};
    // Offsets that a transaction has not settled yet are waited for, as long as that takes.
    while (!*gone) {
      const auto list = partitions_at(partitions, RD_KAFKA_OFFSET_INVALID);
      auto code = rd_kafka_committed(member->get(), list.get(), shared->timeout_ms());
      for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
        code = list->elems[i].err;
      }
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        auto error = error_of(code, "committed offsets");
        if (error.code == ErrorCode::kInvalid) {
          answer = {.kind = ConsumerEvent::Kind::kFailed, .error = std::move(error)};
          break;
        }
        spdlog::debug("{}; asking again", error.message);
        std::this_thread::sleep_for(kAskAgain);
        continue;
      }
      answer.committed = offsets_of(*list);
      break;
    }
    mailbox->post(std::move(answer));
    mailbox->wakeup.call();
  });
}

void KafkaConsumer::fetch_ends(const std::vector<TopicPartition>& partitions,
                               const std::map<TopicPartition, Timestamp>& since) {
  if (!asker_) asker_ = std::make_unique<SerialThread>();
  asker_->post([shared = shared_, mailbox = mailbox_, gone = gone_, partitions, since] {
    ConsumerEvent answer{.kind = ConsumerEvent::Kind::kEndOffsets, .partitions = partitions};
    for (std::size_t i = 0; i < partitions.size() && !*gone;) {
      auto range = shared->range(partitions[i]);
      if (const auto time = since.find(partitions[i]); range && time != since.end()) {
        const auto found = shared->first_since(partitions[i], time->second);
        if (found) {
          range->since = *found == kNoOffset ? range->end : *found;
        } else {
          range = std::unexpected(found.error());
        }
      }
      if (range) {
        answer.ranges[partitions[i++]] = *range;
      } else if (range.error().code == ErrorCode::kUnavailable) {
        std::this_thread::sleep_for(kAskAgain);  // A leader is being elected, for example.
      } else {
        answer = {.kind = ConsumerEvent::Kind::kFailed,
                  .partitions = {partitions[i]},
                  .error = range.error()};
        break;
      }
    }
    mailbox->post(std::move(answer));
    mailbox->wakeup.call();
  });
}

}  // namespace thalweg::internal
