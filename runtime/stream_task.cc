#include "stream_task.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <spdlog/spdlog.h>

#include <thalweg/schemas/check.h>
#include <thalweg/schemas/partitioning.h>

#include "config/config_keys.h"
#include "partition_time.h"

namespace thalweg::internal {

namespace {

// Changes of one store, on their way into the open transaction.
class StoreChangelogWriter final : public ChangelogWriter {
 public:
  StoreChangelogWriter(RecordCollector& collector, const TopicPartition& changelog)
      : collector_(collector),
        topic_(collector.topic(changelog.topic)),
        partition_(changelog.partition) {}

  void append(BytesView key, std::optional<BytesView> value, Timestamp timestamp,
              const Headers& headers) override {
    collector_.send(topic_, partition_, key, value, timestamp, headers);
  }

 private:
  RecordCollector& collector_;
  TopicHandle topic_;
  std::int32_t partition_;
};

std::string store_family(const StreamTask& task, const std::string& store) {
  return std::string(task.application_id()) + "/" + to_string(task.task_id()) + "/" + store;
}

std::string dead_letter_topic_name(std::string pattern, std::string_view topic) {
  constexpr std::string_view kTopic = "{topic}";
  if (const auto at = pattern.find(kTopic); at != std::string::npos) {
    pattern.replace(at, kTopic.size(), topic);
  }
  return pattern;
}

std::string place(const RecordMetadata& metadata) {
  return "topic=" + std::string(metadata.topic) +
         ", partition=" + std::to_string(metadata.partition) +
         ", offset=" + std::to_string(metadata.offset);
}

}  // namespace

StreamTask::StreamTask(Setup setup)
    : setup_(std::move(setup)),
      async_calls_(setup_.environment.log ? &setup_.environment.log->durability() : nullptr,
                   setup_.wakeup) {
  for (const auto& topic : setup_.plan->inputs) inputs_.push_back({topic, setup_.id.partition});
  if (auto* metrics = setup_.environment.metrics) {
    const auto labels = labels_of("");
    dropped_counter_ = &metrics->counter("kafka_streams_stream_task_metrics_dropped_records_total",
                                         "Records dropped: late, null, or unreadable", labels);
    processed_counter_ = &metrics->counter("kafka_streams_stream_task_metrics_process_total",
                                           "Records processed", labels);
    enforced_counter_ =
        &metrics->counter("kafka_streams_stream_task_metrics_enforced_processing_total",
                          "Records processed while another input had none", labels);
  }
}

StreamTask::~StreamTask() { suspend(); }

Status StreamTask::open_stores() {
  Checkpoint identity{.changelog_partitions = setup_.plan->tasks};
  if (const Log* log = setup_.environment.log) identity.cluster_id = log->cluster_id();
  for (const auto& planned : setup_.plan->stores) {
    Store store{.name = planned.name,
                .store = setup_.topology->store_builder(planned.name).build(),
                .changelog = {planned.changelog, setup_.id.partition},
                .internal = planned.internal,
                .writer = nullptr};
    if (!planned.changelog.empty() && planned.internal) {
      store.writer = std::make_unique<StoreChangelogWriter>(*setup_.collector, store.changelog);
    }
    identity.changelog = planned.changelog;
    StoreContext context{
        .storage = setup_.environment.storage,
        .family = store_family(*this, planned.name),
        .changelog = store.writer.get(),
        .identity = identity,
        .budget = setup_.environment.budget,
        .caching = setup_.config->statestore_cache_max_bytes > 0,
        .cache_bytes = setup_.config->statestore_cache_max_bytes,
        .record_time = [this] { return record_time_; },
        .record = &metadata_,
        .damaged = store.damaged,
        .on_late = [this,
                    name = planned.name] { dropped(name, "older than what the store keeps"); }};
    if (auto opened = store.store->open(context); !opened) return opened;
    stores_by_name_[planned.name] = store.store.get();
    stores_.push_back(std::move(store));
  }
  return {};
}

void StreamTask::start(const std::map<TopicPartition, OffsetAndMetadata>& committed) {
  THALWEG_CHECK(!started_, "a task is started twice");
  started_ = true;
  wants_retry_ = false;
  graph_ = setup_.topology->instantiate(setup_.subtopology, *this);
  for (const auto& input : inputs_) {
    SourceNode* source = graph_.source_of(input.topic);
    THALWEG_CHECK(source, "a planned input has no source node");
    const auto& position = committed.at(input);
    const Timestamp partition_time = decode_partition_time(position.metadata);
    stream_time_ = std::max(stream_time_, partition_time);
    for (const auto& [key, value] : decode_processor_metadata(position.metadata)) {
      auto& known = processor_metadata_.try_emplace(key, value).first->second;
      known = std::max(known, value);
    }
    group_.add_queue(std::make_unique<RecordQueue>(
        input, *source, *this, position.offset, partition_time,
        [this](const RecordView& record, const RecordMetadata& metadata, const SerdeError& error) {
          bad_record(record, metadata, error);
        }));
  }
  for (auto& node : graph_.nodes) node->init(*this);
}

void StreamTask::suspend() {
  if (started_) {
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
      try {
        (*node)->close();
      } catch (const std::exception& error) {
        spdlog::error("task {}: closing {} failed: {}", to_string(setup_.id), (*node)->name(),
                      error.what());
      }
    }
  }
  started_ = false;
  async_calls_.clear();
  group_ = {};
  graph_ = {};
  stream_clock_ = {};
  wall_clock_ = {};
  stream_time_ = record_time_ = kNoTimestamp;
  metadata_ = {};
  current_ = nullptr;
  processor_metadata_.clear();
  commit_requested_ = false;
  processed_since_flush_ = 0;
  for (auto& store : stores_) store.store->abort();
}

std::size_t StreamTask::process(std::size_t max_records, Timestamp wall_clock) {
  std::size_t done = 0;
  const std::uint64_t enforced = group_.enforced();
  while (done < max_records && !group_.empty() &&
         group_.ready(wall_clock, setup_.config->max_task_idle)) {
    RecordQueue& queue = group_.next();
    stream_time_ = std::max(stream_time_, queue.head_timestamp());
    if (!queue.head_stands_in()) {
      process_head(queue);
      ++done;
    }
    group_.pop_next();
    punctuate_stream_time();
  }
  processed_ += done;
  processed_since_flush_ += done;
  if (processed_counter_ && done > 0) {
    processed_counter_->add(done);
    enforced_counter_->add(group_.enforced() - enforced);
  }
  return done;
}

void StreamTask::process_head(RecordQueue& queue) {
  metadata_ = queue.head_metadata();
  record_time_ = queue.head_timestamp();
  current_ = &queue;
  try {
    queue.process_head();
  } catch (const std::exception& error) {
    fail_processing(error, metadata_);
  }
  current_ = nullptr;
}

bool StreamTask::skip_failed(std::string_view node, const std::exception& error) {
  auto* own = setup_.config->processing_exception_handler.get();
  return skip(own ? own->handle(error_context(node), error) : setup_.config->processing_handler,
              node, "ProcessingError", error);
}

bool StreamTask::skip_unwritable(std::string_view node, const std::exception& error) {
  auto* own = setup_.config->production_exception_handler.get();
  const auto handling =
      own ? own->handle(error_context(node), error) : setup_.config->production_handler;
  wants_retry_ = handling == FailureHandling::kRetry;
  return skip(handling, node, "ProductionError", error);
}

const std::map<std::string, std::string>& StreamTask::app_configs() const {
  if (app_configs_.empty()) app_configs_ = config_texts(*setup_.config);
  return app_configs_;
}

std::string StreamTask::state_dir() const { return task_directory(*setup_.config, setup_.id); }

ErrorContext StreamTask::error_context(std::string_view node) const {
  return {.task = setup_.id,
          .node = node,
          .record = metadata_,
          .source = current_ ? &current_->head() : nullptr};
}

bool StreamTask::skip(FailureHandling handling, std::string_view node, std::string_view exception,
                      const std::exception& error) {
  switch (handling) {
    case FailureHandling::kFail:
    case FailureHandling::kRetry:
      return false;
    case FailureHandling::kContinue:
      spdlog::warn("task {}: {} skipped a record ({}): {}", to_string(setup_.id), node,
                   place(metadata_), error.what());
      break;
    case FailureHandling::kDeadLetter:
      if (!current_) return false;  // A punctuation or a flush: there is no record to keep.
      to_dead_letters(current_->head(), metadata_, exception, error.what());
      break;
  }
  dropped(node, exception);
  return true;
}

void StreamTask::fail_processing(const std::exception& cause, const RecordMetadata& metadata) {
  std::throw_with_nested(
      StreamsError("Exception caught in process. taskId=" + to_string(setup_.id) + ", " +
                   place(metadata) + ": " + cause.what()));
}

bool StreamTask::punctuate_stream_time() {
  if (stream_time_ == kNoTimestamp) return false;
  return stream_clock_.punctuate(
      stream_time_, [&](const PunctuationQueue::Schedule& due) { punctuate(due, stream_time_); });
}

bool StreamTask::punctuate_wall_clock(Timestamp wall_clock) {
  return wall_clock_.punctuate(
      wall_clock, [&](const PunctuationQueue::Schedule& due) { punctuate(due, wall_clock); });
}

void StreamTask::punctuate(const PunctuationQueue::Schedule& schedule, Timestamp time) {
  metadata_ = {};
  record_time_ = time;
  ++punctuated_;
  try {
    schedule.punctuator(time);
  } catch (const std::exception& error) {
    std::throw_with_nested(
        StreamsError("Exception caught in punctuate. taskId=" + to_string(setup_.id) +
                     ", processor=" + schedule.node + ": " + error.what()));
  }
}

bool StreamTask::run_async_calls(Timestamp wall_clock, bool begin_more) {
  if (async_calls_.empty()) return false;
  const RecordMetadata metadata = std::exchange(metadata_, {});
  record_time_ = wall_clock;
  try {
    const bool worked = async_calls_.run(wall_clock, begin_more);
    if (worked) {
      processed_since_flush_ = 0;  // The caches hold more than what stems from one record.
    } else {
      metadata_ = metadata;
    }
    return worked;
  } catch (const std::exception& error) {
    std::throw_with_nested(StreamsError(
        "Exception caught in map_async. taskId=" + to_string(setup_.id) + ": " + error.what()));
  }
}

void StreamTask::flush() {
  // What the caches hold is of that one record; of several, nobody knows which.
  if (std::exchange(processed_since_flush_, 0) != 1) metadata_ = {};
  // Stores come in topological order, so one pass nearly always does; a processor that was given a
  // store made before those upstream of it needs another.
  for (bool flushed = true; flushed;) {
    flushed = false;
    for (auto& store : stores_) flushed |= flush(store);
  }
}

bool StreamTask::flush(Store& store) {
  try {
    return store.store->flush();
  } catch (const std::exception& error) {
    std::throw_with_nested(ProcessorStateError("task " + to_string(setup_.id) +
                                               ": failed to flush the cache of store " +
                                               store.name + ": " + error.what()));
  }
}

std::map<TopicPartition, OffsetAndMetadata> StreamTask::positions() const {
  std::map<TopicPartition, OffsetAndMetadata> positions;
  for (std::size_t i = 0; i < group_.size(); ++i) {
    const RecordQueue& queue = group_.queue(i);
    positions[queue.partition()] = {
        queue.position(), encode_partition_time(queue.partition_time(), processor_metadata_)};
  }
  return positions;
}

void StreamTask::committed(const std::vector<Offset>& ends, CommitSequence commit) {
  for (std::size_t i = 0; i < stores_.size(); ++i) stores_[i].store->commit(ends[i], commit);
  async_calls_.committed(commit);
  commit_requested_ = false;
}

std::size_t StreamTask::uncommitted_bytes() const {
  std::size_t bytes = 0;
  for (const auto& store : stores_) bytes += store.store->uncommitted_bytes();
  return bytes;
}

std::optional<std::int64_t> StreamTask::processor_metadata(std::string_view key) const {
  const auto found = processor_metadata_.find(key);
  return found == processor_metadata_.end() ? std::nullopt : std::optional(found->second);
}

StateStore& StreamTask::store(std::string_view name) {
  const auto found = stores_by_name_.find(std::string(name));
  if (found != stores_by_name_.end()) return *found->second;
  if (StateStore* global = global_store(name)) return *global;
  throw TopologyError("task " + to_string(setup_.id) + " has no store " + std::string(name));
}

StateStore* StreamTask::global_store(std::string_view name) {
  return setup_.globals ? setup_.globals->find(name) : nullptr;
}

std::string StreamTask::topic_name(std::string_view name, bool internal) const {
  return internal ? setup_.config->application_id + "-" + std::string(name) : std::string(name);
}

Cancellable StreamTask::schedule(std::chrono::milliseconds interval, PunctuationType type,
                                 std::string_view node, Punctuator punctuator) {
  if (interval <= std::chrono::milliseconds(0)) {
    throw TopologyError("processor " + std::string(node) +
                        " schedules a punctuation with an interval that is not positive");
  }
  if (type == PunctuationType::kStreamTime) {
    return stream_clock_.schedule(from_millis(0), interval, node, std::move(punctuator));
  }
  return wall_clock_.schedule(wall_clock_time() + interval, interval, node, std::move(punctuator));
}

void StreamTask::dropped(std::string_view node, std::string_view reason) {
  ++dropped_;
  if (dropped_counter_) dropped_counter_->add();
  SPDLOG_DEBUG("task {}: {} dropped a record ({}): {}", to_string(setup_.id), node,
               place(metadata_), reason);
  static_cast<void>(node);
  static_cast<void>(reason);
}

void StreamTask::count(std::string_view metric, std::string_view node) {
  auto found = node_metrics_.find(std::pair(metric, node));
  if (found == node_metrics_.end()) {
    const std::pair names{std::string(metric), std::string(node)};
    auto* registry = setup_.environment.metrics;
    Counter& counter = registry ? registry->counter("kafka_streams_stream_processor_node_metrics_" +
                                                        names.first + "_total",
                                                    "Counted by a processor", labels_of(node))
                                : own_counters_.emplace_back();
    found = node_metrics_.emplace(names, &counter).first;
  }
  found->second->add();
}

MetricsRegistry::Labels StreamTask::labels_of(std::string_view node) const {
  MetricsRegistry::Labels labels{{"client_id", setup_.config->client_id},
                                 {"task_id", to_string(setup_.id)}};
  if (!node.empty()) labels.emplace_back("processor_node_id", node);
  return labels;
}

void StreamTask::bad_record(const RecordView& record, const RecordMetadata& metadata,
                            const SerdeError& error) {
  auto* own = setup_.config->deserialization_exception_handler.get();
  switch (
      own ? own->handle({.task = setup_.id, .record = metadata, .source = &record}, record, error)
          : setup_.config->deserialization_handler) {
    case FailureHandling::kFail:
    case FailureHandling::kRetry:
      std::throw_with_nested(
          StreamsError("cannot read a record (" + place(metadata) + "): " + error.what() +
                       (own ? ". The deserialization exception handler says to fail"
                            : ". deserialization.exception.handler is set to fail")));
    case FailureHandling::kDeadLetter:
      to_dead_letters(record, metadata, "DeserializationError", error.what());
      break;
    case FailureHandling::kContinue:
      break;
  }
  spdlog::warn("task {}: skipped an unreadable record ({}): {}", to_string(setup_.id),
               place(metadata), error.what());
  dropped("", "unreadable");
}

void StreamTask::to_dead_letters(const RecordView& record, const RecordMetadata& metadata,
                                 std::string_view exception, std::string_view message) {
  if (setup_.config->dead_letter_topic.empty()) {
    throw StreamsError("a record goes to the dead letters (" + place(metadata) +
                       "), but errors.dead.letter.queue.topic.name is not set");
  }
  Headers headers = Headers::decode(record.headers);
  headers.add("__streams.errors.exception", std::string(exception));
  headers.add("__streams.errors.message", std::string(message));
  headers.add("__streams.errors.topic", std::string(metadata.topic));
  headers.add("__streams.errors.partition", std::to_string(metadata.partition));
  headers.add("__streams.errors.offset", std::to_string(metadata.offset));
  const TopicHandle topic = dead_letter_topic(metadata.topic);
  const std::int32_t partitions = setup_.collector->partitions(topic);
  const std::int32_t partition =
      record.key ? partition_of(*record.key, partitions)
                 : static_cast<std::int32_t>(std::max<Offset>(record.offset, 0) % partitions);
  setup_.collector->send(topic, partition, record.key, record.value, record.timestamp, headers);
}

// Of internal topics nobody but the application knows the names, so nobody else can make them.
TopicHandle StreamTask::dead_letter_topic(std::string_view topic) {
  std::string name = dead_letter_topic_name(setup_.config->dead_letter_topic, topic);
  Log* log = setup_.environment.log;
  if (log && !dead_letter_topics_.contains(name)) {
    const auto known = log->topic(name);
    const auto input = log->topic(std::string(topic));
    const bool is_missing = !known && known.error().code == ErrorCode::kNotFound;
    if (is_missing && input) {
      const auto made = log->create_topic({.name = name, .partitions = input->partitions});
      if (!made && made.error().code != ErrorCode::kAlreadyExists) {
        spdlog::error("topic {} of dead letters cannot be made: {}", name, made.error().message);
      }
    }
    dead_letter_topics_.insert(name);
  }
  return setup_.collector->topic(name);
}

}  // namespace thalweg::internal
