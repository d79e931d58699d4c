#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <thalweg/runtime/kafka_log.h>

#include "kafka/kafka_client.h"

namespace thalweg::internal {

/// A commit that Kafka has acknowledged is durable: there is nothing to wait for.
class KafkaDurability final : public Durability {
 public:
  CommitSequence durable() const override { return last_.load(std::memory_order_acquire); }
  CommitSequence visible() const override { return durable(); }
  void when_durable(CommitSequence, std::function<void()> done) override { done(); }
  CommitSequence next() { return last_.fetch_add(1, std::memory_order_acq_rel) + 1; }

 private:
  std::atomic<CommitSequence> last_ = 0;
};

/// What the clients of one KafkaLog share, and outlive it with.
struct KafkaShared {
  KafkaLogOptions options;
  std::shared_ptr<Reaper> reaper;
  /// For questions of any thread: a consumer that reads what is not committed too, so that the end
  /// of a partition is past open transactions.
  std::shared_ptr<KafkaClient> asker;
  Result<std::shared_ptr<KafkaClient>> make_asker();
  KafkaDurability durability;

  /// Bounds a blocking call.
  int timeout_ms() const { return static_cast<int>(options.request_timeout.count()); }

  /// Asks again, for a minute at most, as long as that says kUnavailable: a broker that restarts or
  /// is out of reach for a moment is no reason for an application not to start.
  template <typename Ask>
  static auto insist(const Ask& ask, std::chrono::milliseconds patience = std::chrono::minutes(1)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
      auto answer = ask();
      if (answer || answer.error().code != ErrorCode::kUnavailable ||
          std::chrono::steady_clock::now() > deadline) {
        return answer;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }

  /// For questions about groups. librdkafka asks whoever was a group's coordinator when it was
  /// asked first, as long as that broker is connected, wherever the coordinator has moved: so who
  /// gets no good answer replaces the client, and the next question is put by a new one.
  std::shared_ptr<KafkaClient> asker_of_groups();
  void replace_asker_of_groups(const std::shared_ptr<KafkaClient>& used);

  /// How many partitions the topic has; asks a broker the first time.
  Result<std::int32_t> partitions(const std::string& topic);
  /// The same as a broker knows it now, and how many of them have a leader. A topic that was there
  /// once is asked for again for a while, before it counts as gone.
  struct Leaders {
    std::int32_t partitions = 0;
    std::int32_t led = 0;
  };
  Result<Leaders> leaders(const std::string& topic);
  /// Notes that the topic is there.
  void remember(const std::string& topic, std::int32_t partitions);
  void forget(const std::string& topic);
  /// Every topic that was there when it was asked for.
  std::vector<std::string> known_topics();

  /// First offset and end (high watermark) of the partition.
  Result<ConsumerEvent::Range> range(const TopicPartition& partition);
  /// The first offset with that timestamp or a later one; kNoOffset if there is none.
  Result<Offset> first_since(const TopicPartition& partition, Timestamp time);

  // Members of groups by their ids: who commits the offsets of a producer without transactions.
  void add_member(const std::string& member, const std::shared_ptr<KafkaClient>& client);
  std::shared_ptr<KafkaClient> member(const std::string& member);
  /// Of the members of the group in this process.
  std::shared_ptr<JoinGate> join_gate(const std::string& group);

 private:
  Result<Leaders> ask_for_leaders(const std::string& topic);
  bool is_known(const std::string& topic);

  std::mutex mutex_;
  std::shared_ptr<KafkaClient> asker_of_groups_;  // Null: that for all questions.
  std::map<std::string, std::int32_t> partitions_;
  std::map<std::string, std::weak_ptr<KafkaClient>> members_;
  std::map<std::string, std::shared_ptr<JoinGate>> join_gates_;
};

}  // namespace thalweg::internal
