#include <array>
#include <random>
#include <utility>

#include <thalweg/schemas/check.h>

#include "embedded/check_topic.h"
#include "embedded/embedded_consumer.h"
#include "embedded/embedded_log_impl.h"
#include "embedded/embedded_producer.h"
#include "this_thread.h"

namespace thalweg {

Result<std::unique_ptr<EmbeddedLog>> EmbeddedLog::open(Storage& storage, Clock& clock,
                                                       EmbeddedLogOptions options) {
  auto log = std::make_unique<internal::EmbeddedLogImpl>(storage, clock, std::move(options));
  if (auto status = log->start(); !status) return std::unexpected(status.error());
  return log;
}

}  // namespace thalweg

namespace thalweg::internal {

namespace {

constexpr std::uint64_t kFormat = 2;

/// An id as Kafka's: 22 characters that are safe in names.
std::string make_cluster_id() {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::random_device device;
  std::string id(22, '\0');
  for (char& c : id) c = kAlphabet[device() % kAlphabet.size()];
  return id;
}

EmbeddedTopicPtr make_topic(TopicId id, const TopicSpec& spec, Journal& journal) {
  auto topic = std::make_shared<EmbeddedTopic>(EmbeddedTopic{.id = id, .spec = spec});
  for (std::int32_t p = 0; p < spec.partitions; ++p) {
    topic->partitions.push_back(
        std::make_shared<PartitionLog>(TopicPartition{spec.name, p}, id, journal));
  }
  return topic;
}

std::unexpected<Error> no_topic(std::string_view name) {
  return failure(ErrorCode::kNotFound, "topic " + std::string(name) + " does not exist");
}

}  // namespace

EmbeddedLogImpl::EmbeddedLogImpl(Storage& storage, Clock& clock, EmbeddedLogOptions options)
    : journal_(storage.journal()),
      clock_(clock),
      options_(std::move(options)),
      durability_(journal_),
      groups_([this](const std::string& topic) {
        const auto found = topics_.find(topic);
        return found == topics_.end() ? 0 : found->second->spec.partitions;
      }) {}

EmbeddedLogImpl::~EmbeddedLogImpl() {
  try {
    close();
  } catch (...) {
    // A disk that fails by throwing (a simulated one) takes nothing along that was promised.
  }
}

Status EmbeddedLogImpl::start() {
  if (auto status = recover(); !status) return status;
  if (!options_.background_threads) return {};
  durability_.start();
  maintenance_thread_ = std::thread([this] {
    name_this_thread("log-maintenance");
    run_maintenance();
  });
  return {};
}

void EmbeddedLogImpl::close() {
  {
    const std::lock_guard lock(stop_mutex_);
    if (closed_) return;
    closed_ = stopping_ = true;
  }
  maintenance_due_.notify_all();
  if (maintenance_thread_.joinable()) maintenance_thread_.join();
  durability_.stop();
  durability_.step();
}

Status EmbeddedLogImpl::status() const {
  if (auto status = durability_.status(); !status) return status;
  const std::lock_guard lock(stop_mutex_);
  return maintenance_status_;
}

// --- Recovery -------------------------------------------------------------------------------

Status EmbeddedLogImpl::recover() {
  for (const auto step : {&EmbeddedLogImpl::recover_meta, &EmbeddedLogImpl::recover_topics,
                          &EmbeddedLogImpl::recover_offsets, &EmbeddedLogImpl::recover_epochs}) {
    if (auto status = (this->*step)(); !status) return status;
  }
  return {};
}

Status EmbeddedLogImpl::recover_meta() {
  std::string stored;
  auto found = journal_.get(meta_key("format"), stored);
  if (!found) return std::unexpected(found.error());
  if (!*found) {
    cluster_id_ = make_cluster_id();
    WriteBatch batch;
    batch.put(meta_key("format"), encode_number(kFormat));
    batch.put(meta_key("cluster-id"), cluster_id_);
    if (auto status = journal_.append(batch); !status) return status;
    return journal_.sync();
  }
  auto format = decode_number(stored);
  if (!format) return std::unexpected(format.error());
  if (*format != kFormat) {
    return failure(ErrorCode::kCorrupt, "the log has format " + std::to_string(*format) +
                                            ", and this program reads format " +
                                            std::to_string(kFormat) + " only");
  }
  if (auto status = journal_.get(meta_key("cluster-id"), cluster_id_); !status) {
    return std::unexpected(status.error());
  }
  found = journal_.get(meta_key("next-topic"), stored);
  if (!found) return std::unexpected(found.error());
  if (!*found) return {};
  auto next = decode_number(stored);
  if (!next) return std::unexpected(next.error());
  next_topic_ = static_cast<TopicId>(*next);
  return {};
}

Status EmbeddedLogImpl::recover_topics() {
  auto cursor = journal_.scan("t", "u");
  for (cursor->seek("t"); cursor->valid(); cursor->next()) {
    auto spec = decode_topic(cursor->value());
    if (!spec) return std::unexpected(spec.error());
    const auto topic = make_topic(topic_of_key(cursor->key()), *spec, journal_);
    for (const auto& partition : topic->partitions) {
      if (auto status = partition->recover(); !status) return status;
    }
    topics_[spec->name] = topic;
  }
  return cursor->status();
}

Status EmbeddedLogImpl::recover_offsets() {
  std::map<TopicId, const TopicSpec*> names;
  for (const auto& [name, topic] : topics_) names[topic->id] = &topic->spec;
  auto cursor = journal_.scan("o", "p");
  for (cursor->seek("o"); cursor->valid(); cursor->next()) {
    auto key = decode_offset_key(cursor->key());
    if (!key) return std::unexpected(key.error());
    auto offset = decode_offset(cursor->value());
    if (!offset) return std::unexpected(offset.error());
    const auto topic = names.find(key->topic);
    if (topic == names.end()) continue;
    offsets_[key->group][{topic->second->name, key->partition}] = *std::move(offset);
  }
  return cursor->status();
}

Status EmbeddedLogImpl::recover_epochs() {
  auto cursor = journal_.scan("e", "f");
  for (cursor->seek("e"); cursor->valid(); cursor->next()) {
    auto epoch = decode_number(cursor->value());
    if (!epoch) return std::unexpected(epoch.error());
    epochs_[std::string(cursor->key().substr(1))] = static_cast<std::uint32_t>(*epoch);
  }
  return cursor->status();
}

// --- Topics ---------------------------------------------------------------------------------

Result<std::vector<TopicSpec>> EmbeddedLogImpl::topics() const {
  const std::lock_guard lock(mutex_);
  std::vector<TopicSpec> specs;
  for (const auto& [name, topic] : topics_) specs.push_back(topic->spec);
  return specs;
}

Result<TopicSpec> EmbeddedLogImpl::topic(const std::string& name) const {
  const auto topic = find(name);
  if (!topic) return no_topic(name);
  return topic->spec;
}

EmbeddedTopicPtr EmbeddedLogImpl::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second;
}

Result<EmbeddedTopicPtr> EmbeddedLogImpl::find_or_create(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (const auto found = topics_.find(name); found != topics_.end()) return found->second;
  if (options_.default_partitions < 1) return no_topic(name);
  return create_locked({.name = name, .partitions = options_.default_partitions});
}

Status EmbeddedLogImpl::create_topic(const TopicSpec& spec) {
  const std::lock_guard lock(mutex_);
  if (topics_.contains(spec.name)) {
    return failure(ErrorCode::kAlreadyExists, "topic " + spec.name + " exists");
  }
  auto made = create_locked(spec);
  if (!made) return std::unexpected(made.error());
  return {};
}

Result<EmbeddedTopicPtr> EmbeddedLogImpl::create_locked(const TopicSpec& spec) {
  if (auto status = check_topic(spec); !status) return std::unexpected(status.error());
  const TopicId id = next_topic_;
  WriteBatch batch;
  batch.put(topic_key(id), encode_topic(spec));
  batch.put(meta_key("next-topic"), encode_number(id + 1));
  if (auto status = append_locked(batch); !status) return std::unexpected(status.error());
  ++next_topic_;
  auto topic = make_topic(id, spec, journal_);
  topics_[spec.name] = topic;
  durability_.publish(durability_.visible() + 1);
  return topic;
}

Status EmbeddedLogImpl::delete_topic(const std::string& name) {
  const std::lock_guard no_maintenance(maintenance_);
  Wakeups wakeups;
  {
    const std::lock_guard lock(mutex_);
    const auto found = topics_.find(name);
    if (found == topics_.end()) return no_topic(name);
    const EmbeddedTopicPtr topic = found->second;
    // What its partitions hold goes with the next pass of maintenance.
    WriteBatch batch;
    batch.remove(topic_key(topic->id));
    for (const auto& [group, offsets] : offsets_) {
      for (std::int32_t p = 0; p < topic->spec.partitions; ++p) {
        if (offsets.contains({name, p})) batch.remove(offset_key(group, topic->id, p));
      }
    }
    if (auto status = append_locked(batch); !status) return status;
    topics_.erase(found);
    for (auto& [group, offsets] : offsets_) {
      std::erase_if(offsets, [&](const auto& entry) { return entry.first.topic == name; });
    }
    for (const auto& partition : topic->partitions) {
      partition->mark_deleted(wakeups);
      tail_bytes_ -= partition->drop_tail_before(partition->end());
    }
    durability_.publish(durability_.visible() + 1);
  }
  wake(wakeups);
  return {};
}

Result<std::shared_ptr<PartitionLog>> EmbeddedLogImpl::partition_locked(
    const TopicPartition& name) const {
  const auto found = topics_.find(name.topic);
  if (found == topics_.end()) return no_topic(name.topic);
  const auto& partitions = found->second->partitions;
  if (name.partition < 0 || static_cast<std::size_t>(name.partition) >= partitions.size()) {
    return failure(ErrorCode::kNotFound,
                   "topic " + name.topic + " has no partition " + std::to_string(name.partition));
  }
  return partitions[static_cast<std::size_t>(name.partition)];
}

Result<std::shared_ptr<PartitionLog>> EmbeddedLogImpl::partition(const TopicPartition& name) const {
  const std::lock_guard lock(mutex_);
  return partition_locked(name);
}

void EmbeddedLogImpl::delete_records(const TopicPartition& name, Offset before) {
  const auto found = partition(name);
  if (found) (*found)->advance_begin(std::min(before, (*found)->end()));
}

Result<ConsumerEvent::Range> EmbeddedLogImpl::range(const TopicPartition& name) const {
  auto found = partition(name);
  if (!found) return std::unexpected(found.error());
  const Offset begin = (*found)->begin();
  return ConsumerEvent::Range{.begin = begin, .end = (*found)->end()};
}

std::map<TopicPartition, OffsetAndMetadata> EmbeddedLogImpl::committed(
    const std::string& group) const {
  const std::lock_guard lock(mutex_);
  const auto found = offsets_.find(group);
  return found == offsets_.end() ? std::map<TopicPartition, OffsetAndMetadata>{} : found->second;
}

// --- Groups and clients -----------------------------------------------------------------------

std::string EmbeddedLogImpl::join(const std::string& group, const std::string& id,
                                  const std::string& client_id,
                                  const std::vector<std::string>& topics,
                                  const std::shared_ptr<ConsumerMailbox>& mailbox) {
  Wakeups wakeups;
  std::string joined_as;
  {
    const std::lock_guard lock(mutex_);
    joined_as = groups_.join(group, id, client_id, topics, mailbox, wakeups);
  }
  wake(wakeups);
  return joined_as;
}

void EmbeddedLogImpl::leave(const std::string& group, const std::string& id) {
  Wakeups wakeups;
  {
    const std::lock_guard lock(mutex_);
    groups_.leave(group, id, wakeups);
  }
  wake(wakeups);
}

void EmbeddedLogImpl::release(const std::string& group, const std::string& id,
                              const std::vector<TopicPartition>& partitions) {
  Wakeups wakeups;
  {
    const std::lock_guard lock(mutex_);
    groups_.release(group, id, partitions, wakeups);
  }
  wake(wakeups);
}

std::int32_t EmbeddedLogImpl::generation(const std::string& group) const {
  const std::lock_guard lock(mutex_);
  return groups_.generation(group);
}

std::unique_ptr<LogConsumer> EmbeddedLogImpl::consumer(const ConsumerOptions& options) {
  return std::make_unique<EmbeddedConsumer>(*this, options);
}

std::unique_ptr<LogProducer> EmbeddedLogImpl::producer(const ProducerOptions& options) {
  return std::make_unique<EmbeddedProducer>(*this, options);
}

}  // namespace thalweg::internal
