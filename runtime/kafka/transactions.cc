#include "kafka/transactions.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <spdlog/spdlog.h>

#include "kafka/client_settings.h"

namespace thalweg::internal {

namespace {

using namespace std::chrono_literals;

constexpr int kServe = 1000;   // How long serve() waits, unless it is interrupted.
constexpr int kInitTries = 3;  // Then with a new client: this one may be stuck.
constexpr int kTryMs = 5000;   // One try of a call that can be resumed.
constexpr int kFlushBeforeAbort = 1000;
constexpr int kPushMs = 5;
constexpr auto kTryAgain = 20ms;
constexpr auto kUntilJoined = 1ms;
constexpr auto kPlainTimeout = 30s;  // Of a record without a transaction, unless configured.
constexpr auto kLongestJoin = 30s;   // Then the member is as good as lost.

std::vector<FixedProperty> properties_of(const KafkaLogOptions& options,
                                         const ProducerOptions& producer) {
  std::vector<FixedProperty> fixed = {{"enable.idempotence", "true"},
                                      {"acks", "all"},
                                      {"partitioner", "murmur2_random"},
                                      {"allow.auto.create.topics", "false"}};
  const bool chosen = !configured(ClientKind::kProducer, options, "delivery.timeout.ms").empty() ||
                      !configured(ClientKind::kProducer, options, "message.timeout.ms").empty();
  const auto give_up_after = [&](std::chrono::milliseconds timeout) {
    if (!chosen) fixed.push_back({"message.timeout.ms", std::to_string(timeout.count())});
  };
  if (producer.transactional_id.empty()) {
    give_up_after(kPlainTimeout);
    return fixed;
  }
  fixed.push_back({"transactional.id", producer.transactional_id});
  const auto timeout = producer.transaction_timeout;
  fixed.push_back({"transaction.timeout.ms", std::to_string(timeout.count())});
  give_up_after(timeout * 2 / 3);  // A record may not arrive when its transaction is over.
  return fixed;
}

bool is_fenced(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
         code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

}  // namespace

Transactions::Transactions(std::shared_ptr<KafkaShared> shared, ProducerOptions options)
    : shared_(std::move(shared)), options_(std::move(options)) {}

Transactions::~Transactions() {
  topics_.clear();
  main_queue_.reset();
  if (!client_) return;
  client_->set_listener(nullptr);
  // What is left is of no use to anyone: a transaction it belongs to is aborted by the next one.
  rd_kafka_purge(client_->get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                     RD_KAFKA_PURGE_F_NON_BLOCKING);
}

void Transactions::report(ProducerEvent::Kind kind, Error error, CommitSequence commit) {
  report({{.kind = kind, .commit = commit, .error = std::move(error)}});
}

void Transactions::report(std::vector<ProducerEvent> events) {
  {
    std::lock_guard lock(mutex_);
    std::ranges::move(events, std::back_inserter(events_));
  }
  wakeup_.call();
}

bool Transactions::poll(ProducerEvent& event) {
  std::lock_guard lock(mutex_);
  if (events_.empty()) return false;
  event = std::move(events_.front());
  events_.pop_front();
  return true;
}

void Transactions::report_fault(RdError fault, const std::string& what,
                                ProducerEvent::Kind otherwise) {
  const auto code = rd_kafka_error_code(fault.get());
  Error error = error_of(code, what, rd_kafka_error_string(fault.get()));
  if (rd_kafka_error_is_fatal(fault.get())) {
    report(is_fenced(code) ? ProducerEvent::Kind::kFenced : otherwise, std::move(error));
  } else if (rd_kafka_error_txn_requires_abort(fault.get())) {
    report(ProducerEvent::Kind::kAbortRequired, undelivered_.value_or(std::move(error)));
  } else {
    report(otherwise, std::move(error));
  }
}

// --- The client ---------------------------------------------------------------------------------

bool Transactions::make_client() {
  auto conf = client_conf(ClientKind::kProducer, shared_->options, options_.client_id,
                          properties_of(shared_->options, options_));
  if (!conf) {
    report(ProducerEvent::Kind::kFailed, conf.error());
    return false;
  }
  auto client = KafkaClient::make(RD_KAFKA_PRODUCER, *std::move(conf), shared_->reaper);
  if (!client) {
    report(ProducerEvent::Kind::kFailed, client.error());
    return false;
  }
  std::lock_guard lock(mutex_);
  client_ = *std::move(client);
  client_->set_listener(this);
  main_queue_.reset(rd_kafka_queue_get_main(client_->get()));
  return true;
}

// The first record for a topic whose leader is not known waits up to a second.
void Transactions::warm_up() {
  const auto known = shared_->known_topics();
  if (known.empty()) return;
  for (const auto& name : known) topic(name);
  const rd_kafka_metadata_t* metadata = nullptr;
  if (rd_kafka_metadata(client_->get(), 0, nullptr, &metadata, kTryMs) ==
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_metadata_destroy(metadata);
  }
}

bool Transactions::init_client() {
  for (int tries = 1; !closing_; ++tries) {
    RdError fault(rd_kafka_init_transactions(client_->get(), kTryMs));
    if (!fault) return true;
    const std::string what = "taking the transactional id " + options_.transactional_id;
    if (!rd_kafka_error_is_retriable(fault.get()) || tries == kInitTries) {
      report_fault(std::move(fault), what, ProducerEvent::Kind::kFailed);
      return false;
    }
    spdlog::warn("{}: no answer yet: {} {}", what, rd_kafka_error_string(fault.get()),
                 client_->last_fault());
    std::this_thread::sleep_for(kTryAgain);
  }
  return false;
}

void Transactions::init() {
  serves_ = true;
  warm_up();
  if (!transactional() || init_client()) report(ProducerEvent::Kind::kReady);
}

rd_kafka_topic_t* Transactions::topic(const std::string& name) {
  std::lock_guard lock(mutex_);
  auto& handle = topics_[name];
  if (!handle) handle.reset(rd_kafka_topic_new(client_->get(), name.c_str(), nullptr));
  return handle.get();
}

// Before init() the client may just be being made, in the worker's thread.
void Transactions::serve() {
  if (serves_) {
    rd_kafka_poll(client_->get(), kServe);
  } else {
    std::this_thread::sleep_for(kTryAgain);
  }
}

void Transactions::interrupt() {
  std::lock_guard lock(mutex_);
  if (main_queue_) rd_kafka_queue_yield(main_queue_.get());
}

void Transactions::on_delivery(const rd_kafka_message_t& message) {
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (undelivered_ || message.err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
        message.err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) {
      return;
    }
    undelivered_ =
        error_of(message.err, "a record for " + std::string(rd_kafka_topic_name(message.rkt)) +
                                  "-" + std::to_string(message.partition));
    return;
  }
  auto& delivered = *static_cast<DeliveredEnd*>(message._private);
  const auto now = number_.load(std::memory_order_relaxed);
  if (std::exchange(delivered.transaction, now) != now) {
    delivered.end = kNoOffset;
    delivered.is_known = true;
  }
  // A record that was already there the first time is confirmed without an offset.
  delivered.is_known &= message.offset >= 0;
  delivered.end = std::max(delivered.end, message.offset + 1);
}

// --- Transactions -------------------------------------------------------------------------------

void Transactions::begin() {
  not_begun_.reset();
  number_.fetch_add(1, std::memory_order_relaxed);
  if (!transactional() || !client_) return;
  const RdError fault(rd_kafka_begin_transaction(client_->get()));
  if (!fault) return;
  not_begun_ = error_of(rd_kafka_error_code(fault.get()), "beginning a transaction",
                        rd_kafka_error_string(fault.get()));
}

bool Transactions::report_what_is_broken() {
  if (!client_ || not_begun_) {
    report(ProducerEvent::Kind::kFailed,
           not_begun_.value_or(Error{ErrorCode::kUnavailable, "there is no producer"}));
    return true;
  }
  if (!undelivered_) return false;
  char said[256] = "";
  const auto code = rd_kafka_fatal_error(client_->get(), said, sizeof said);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    report(ProducerEvent::Kind::kAbortRequired, *undelivered_);
  } else {
    report(is_fenced(code) ? ProducerEvent::Kind::kFenced : ProducerEvent::Kind::kFailed,
           error_of(code, undelivered_->message, said));
  }
  return true;
}

// librdkafka sends what lingers for as long as a flush goes on: it need not come to an end.
void Transactions::push() {
  if (client_) rd_kafka_flush(client_->get(), kPushMs);
}

void Transactions::flush() {
  if (report_what_is_broken()) return;
  // A transaction that gets no further is given up, well before its broker does so.
  const auto longest = static_cast<int>(patience().count());
  if (in_use_ && rd_kafka_flush(client_->get(), longest) == RD_KAFKA_RESP_ERR__TIMED_OUT) {
    report(ProducerEvent::Kind::kFailed,
           {ErrorCode::kUnavailable,
            "records are not delivered after " + std::to_string(longest) + " ms"});
    return;
  }
  if (!report_what_is_broken()) report(ProducerEvent::Kind::kFlushed);
}

void Transactions::send_offsets(const std::map<TopicPartition, OffsetAndMetadata>& offsets,
                                const GroupMetadata& group) {
  if (report_what_is_broken()) return;
  if (!transactional()) {
    offsets_ = offsets;
    group_ = group;
    report(ProducerEvent::Kind::kOffsetsSent);
    return;
  }
  const auto list = offsets_of(offsets);
  const RdGroup metadata(group.member.empty()
                             ? rd_kafka_consumer_group_metadata_new(group.group.c_str())
                             : rd_kafka_consumer_group_metadata_new_with_genid(
                                   group.group.c_str(), group.generation, group.member.c_str(),
                                   group.instance.empty() ? nullptr : group.instance.c_str()));
  const auto deadline = std::chrono::steady_clock::now() + options_.transaction_timeout;
  for (;;) {
    RdError fault(
        rd_kafka_send_offsets_to_transaction(client_->get(), list.get(), metadata.get(), kTryMs));
    if (!fault) {
      report(ProducerEvent::Kind::kOffsetsSent);
      return;
    }
    const bool again = rd_kafka_error_is_retriable(fault.get()) && !closing_ &&
                       std::chrono::steady_clock::now() < deadline;
    if (!again) {
      report_fault(std::move(fault), "sending offsets", ProducerEvent::Kind::kAbortRequired);
      return;
    }
    std::this_thread::sleep_for(kTryAgain);
  }
}

bool Transactions::commit_offsets_of_member() {
  if (offsets_.empty()) return true;
  const auto offsets = std::exchange(offsets_, {});
  const auto deadline = std::chrono::steady_clock::now() + kLongestJoin;
  const auto is_over = [&] { return closing_ || std::chrono::steady_clock::now() >= deadline; };
  auto code = RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID;
  do {
    const auto member = shared_->member(group_.member);
    if (!member) break;
    // What is committed while the group forms anew would be refused, and done again by others.
    do {
      member->wake();
      std::this_thread::sleep_for(kUntilJoined);
    } while (member->is_joining() && !is_over());
    const auto list = offsets_of(offsets);
    code = rd_kafka_commit(member->get(), list.get(), 0);
    for (int i = 0; i < list->cnt && code == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      code = list->elems[i].err;
    }
  } while (code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS && !is_over());
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
  report(ProducerEvent::Kind::kAbortRequired, error_of(code, "committing offsets"));
  return false;
}

// Without an answer before the deadline the client is of no further use; whoever comes after it
// with the same id ends what it has left.
bool Transactions::end_transaction(rd_kafka_error_t* (*end)(rd_kafka_t*, int),
                                   const std::string& what, ProducerEvent::Kind otherwise) {
  const auto deadline = std::chrono::steady_clock::now() + patience();
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    RdError fault(end(client_->get(), std::max(1, static_cast<int>(left.count()))));
    if (!fault) return true;
    if (!rd_kafka_error_is_retriable(fault.get()) || closing_ || left.count() <= 1) {
      report_fault(std::move(fault), what, otherwise);
      return false;
    }
  }
}

void Transactions::commit() {
  if (report_what_is_broken()) return;
  if (!transactional()) {
    while (in_use_ && !closing_ &&
           rd_kafka_flush(client_->get(), kTryMs) == RD_KAFKA_RESP_ERR__TIMED_OUT) {
    }
    if (!report_what_is_broken() && commit_offsets_of_member()) {
      in_use_ = false;
      report(ProducerEvent::Kind::kCommitted, {}, shared_->durability.next());
    }
    return;
  }
  if (!end_transaction(rd_kafka_commit_transaction, "committing",
                       ProducerEvent::Kind::kOutcomeUnknown)) {
    return;
  }
  in_use_ = false;
  const CommitSequence commit = shared_->durability.next();
  std::vector<ProducerEvent> events{{.kind = ProducerEvent::Kind::kCommitted, .commit = commit}};
  // A request that went astray could still arrive, in the midst of the next transaction, and end
  // it. A new client has a new epoch, with which that cannot be. Who hears of the commit hears of
  // this with it, before anything is sent with the old one.
  if (client_->tainted()) {
    events.push_back(
        {.kind = ProducerEvent::Kind::kFailed,
         .error = {ErrorCode::kUnavailable, "an answer to this producer went astray"}});
  }
  report(std::move(events));
}

void Transactions::abort() {
  offsets_.clear();
  undelivered_.reset();
  if (!transactional()) {
    in_use_ = false;
    report(ProducerEvent::Kind::kAborted);
    return;
  }
  if (report_what_is_broken()) return;
  // Aborting what is still being sent has been fatal (#4849 of librdkafka).
  if (std::exchange(in_use_, false)) rd_kafka_flush(client_->get(), kFlushBeforeAbort);
  undelivered_.reset();
  if (end_transaction(rd_kafka_abort_transaction, "aborting", ProducerEvent::Kind::kFailed)) {
    undelivered_.reset();
    report(ProducerEvent::Kind::kAborted);
  }
}

}  // namespace thalweg::internal
