#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "kafka/join_gate.h"
#include "kafka/rd_handles.h"
#include "kafka/reaper.h"

namespace thalweg::internal {

/// What a client hears from librdkafka, in the thread that polls it.
class ClientListener {
 public:
  virtual ~ClientListener() = default;
  virtual void on_rebalance(rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t&) {}
  virtual void on_delivery(const rd_kafka_message_t&) {}
};

/// One instance of librdkafka with its threads and connections.
///
/// Shared by those who hold messages of it; the last one hands it to the reaper. `finish`, if set,
/// runs there before it is destroyed.
class KafkaClient {
 public:
  static Result<std::shared_ptr<KafkaClient>> make(rd_kafka_type_t type, RdConf conf,
                                                   std::shared_ptr<Reaper> reaper);
  KafkaClient(const KafkaClient&) = delete;
  KafkaClient& operator=(const KafkaClient&) = delete;

  rd_kafka_t* get() const { return rd_; }
  /// Null: nobody listens any more, and the group gets answers without anyone being asked.
  void set_listener(ClientListener* listener) { listener_ = listener; }
  void set_finish(std::function<void(rd_kafka_t*)> finish) { finish_ = std::move(finish); }

  /// What a broker or a connection said last, for messages that must say why nothing works.
  std::string last_fault() const;
  /// Whether a request of a transaction was answered by an error or not at all: librdkafka repeats
  /// it silently, and the broker may yet see the first one, in the middle of a later transaction.
  bool tainted() const { return tainted_.load(std::memory_order_acquire); }

  /// Whether this member of a group is joining it anew, or is about to. Offsets committed meanwhile
  /// would carry the generation of before: the broker refuses them, and librdkafka answers that by
  /// giving up everything that is assigned.
  bool is_joining() const;
  /// Something happens now that may make it join anew.
  void expect_join();
  /// Wakes librdkafka's thread, which does what it has put off: joining, among others.
  void wake() const;
  /// Where it waits once a broker has given it an id as a member. Set before it joins.
  void set_join_gate(std::shared_ptr<JoinGate> gate) { join_gate_ = std::move(gate); }

  /// In send(): the record about to be sent has this time, which is 1970 itself. librdkafka takes
  /// 0 for "now".
  static constexpr std::int64_t kEpochMark = -0x7a11'0e60'c457'0001;

 private:
  KafkaClient() = default;
  /// False: it has left the group, but has to stay in memory (see is_amid_first_join()).
  bool end();
  /// Whether librdkafka (2.0) would end the process on being destroyed: it expects that what it
  /// knows from an assignment is there as soon as a join is answered.
  bool is_amid_first_join() const {
    return join_answered_.load(std::memory_order_acquire) &&
           !assigned_.load(std::memory_order_acquire);
  }
  static rd_kafka_resp_err_t on_new_producer(rd_kafka_t* rd, const rd_kafka_conf_t*, void* self,
                                             char*, size_t);
  static rd_kafka_resp_err_t on_new_consumer(rd_kafka_t* rd, const rd_kafka_conf_t*, void* self,
                                             char*, size_t);
  static rd_kafka_resp_err_t on_send(rd_kafka_t*, rd_kafka_message_t* message, void*);
  static rd_kafka_resp_err_t on_response(rd_kafka_t*, int, const char*, int32_t, int16_t api,
                                         int16_t, int32_t, size_t, int64_t,
                                         rd_kafka_resp_err_t code, void* self);
  static rd_kafka_resp_err_t on_group_request(rd_kafka_t*, int, const char*, int32_t, int16_t api,
                                              int16_t, int32_t, size_t, void* self);
  static rd_kafka_resp_err_t on_group_response(rd_kafka_t*, int, const char*, int32_t, int16_t api,
                                               int16_t, int32_t, size_t, int64_t,
                                               rd_kafka_resp_err_t code, void* self);
  static void on_log(const rd_kafka_t*, int level, const char* facility, const char* text);
  static void on_error(rd_kafka_t*, int code, const char* reason, void* self);
  static void on_rebalance(rd_kafka_t*, rd_kafka_resp_err_t code,
                           rd_kafka_topic_partition_list_t* partitions, void* self);
  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self);

  rd_kafka_t* rd_ = nullptr;
  std::atomic<ClientListener*> listener_ = nullptr;
  std::function<void(rd_kafka_t*)> finish_;
  std::atomic<bool> tainted_ = false;
  std::atomic<bool> is_joining_ = false;
  std::atomic<bool> join_answered_ = false;
  std::atomic<bool> assigned_ = false;
  std::shared_ptr<JoinGate> join_gate_;  ///< Null: there is none, or it is through.
  std::atomic<std::chrono::steady_clock::time_point> join_expected_until_{};
  mutable std::mutex mutex_;
  std::string last_fault_;
};

}  // namespace thalweg::internal
