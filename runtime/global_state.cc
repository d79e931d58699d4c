#include "global_state.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <optional>
#include <utility>

#include <spdlog/spdlog.h>

#include <thalweg/schemas/check.h>

#include "config/config_keys.h"

namespace thalweg::internal {

GlobalState::GlobalState(Setup setup) : setup_(std::move(setup)) {}

GlobalState::~GlobalState() {
  for (auto& table : tables_) {
    for (auto node = table.graph.nodes.rbegin(); node != table.graph.nodes.rend(); ++node) {
      try {
        (*node)->close();
      } catch (const std::exception& error) {
        spdlog::error("global store: closing {} failed: {}", (*node)->name(), error.what());
      }
    }
  }
}

Status GlobalState::open() {
  for (const auto& planned : plan()) {
    Table& table = tables_.emplace_back();
    table.store = setup_.topology->store_builder(planned.store).build();
    // No storage: the topic is read whole at each start, so there is nothing to keep.
    const StoreContext context{.budget = setup_.environment.budget,
                               .caching = setup_.config->statestore_cache_max_bytes > 0,
                               .cache_bytes = setup_.config->statestore_cache_max_bytes,
                               .record_time = [this] { return record_time_; },
                               .record = &metadata_};
    if (auto opened = table.store->open(context); !opened) return opened;
    stores_[planned.store] = table.store.get();
  }
  for (std::size_t i = 0; i < plan().size(); ++i) {
    Table& table = tables_[i];
    table.graph = setup_.topology->instantiate(plan()[i].subtopology, *this);
    THALWEG_CHECK(table.graph.sources.size() == 1, "a global store reads one topic");
    table.input = table.graph.sources.front().node->open_input(*this);
    for (auto& node : table.graph.nodes) node->init(*this);
  }
  return {};
}

const std::map<std::string, std::string>& GlobalState::app_configs() const {
  if (app_configs_.empty()) app_configs_ = config_texts(*setup_.config);
  return app_configs_;
}

std::string GlobalState::state_dir() const {
  return setup_.config->state_dir + "/" + setup_.config->application_id + "/global";
}

StateStore* GlobalState::find(std::string_view name) {
  const auto found = stores_.find(std::string(name));
  return found == stores_.end() ? nullptr : found->second;
}

void GlobalState::apply(std::size_t index, std::int32_t partition, const RecordView& record) {
  Table& table = tables_[index];
  metadata_ = {.topic = plan()[index].topic, .partition = partition, .offset = record.offset};
  const std::string place = "topic=" + plan()[index].topic +
                            ", partition=" + std::to_string(partition) +
                            ", offset=" + std::to_string(record.offset);
  try {
    if (!table.input->prepare(record, metadata_, stream_time_)) return;
  } catch (const SerdeError& error) {
    auto* own = setup_.config->deserialization_exception_handler.get();
    const ErrorContext context{.task = {plan()[index].subtopology, partition},
                               .node = "",
                               .record = metadata_,
                               .source = &record};
    const auto handling =
        own ? own->handle(context, record, error) : setup_.config->deserialization_handler;
    if (handling == FailureHandling::kFail || handling == FailureHandling::kRetry) {
      throw StreamsError("cannot read a record of a global table (" + place + "): " + error.what() +
                         ". The deserialization exception handler says to fail");
    }
    spdlog::warn("skipped an unreadable record of a global table ({}): {}", place, error.what());
    return dropped(plan()[index].store, "unreadable");
  }
  record_time_ = table.input->timestamp();
  stream_time_ = std::max(stream_time_, record_time_);
  try {
    table.input->process();
  } catch (const std::exception& error) {
    std::throw_with_nested(
        StreamsError("Exception caught in a global store (" + place + "): " + error.what()));
  }
}

void GlobalState::commit(CommitSequence commit) {
  for (auto& table : tables_) {
    table.store->flush();
    table.store->commit(kNoOffset, commit);
  }
}

StateStore& GlobalState::store(std::string_view name) {
  StateStore* found = find(name);
  if (!found) throw TopologyError("there is no global store " + std::string(name));
  return *found;
}

RecordCollector& GlobalState::collector() {
  throw TopologyError("the processor of a global store cannot send records");
}

std::string GlobalState::topic_name(std::string_view name, bool internal) const {
  return internal ? setup_.config->application_id + "-" + std::string(name) : std::string(name);
}

Cancellable GlobalState::schedule(std::chrono::milliseconds, PunctuationType, std::string_view node,
                                  Punctuator) {
  throw TopologyError("processor " + std::string(node) +
                      " of a global store cannot schedule punctuations");
}

void GlobalState::dropped(std::string_view, std::string_view) { ++dropped_; }

// --- Reading ----------------------------------------------------------------------------------

GlobalReader::GlobalReader(std::unique_ptr<LogConsumer> consumer, GlobalState& state,
                           StateRestoreListener* listener)
    : consumer_(std::move(consumer)), state_(state), notices_(listener) {
  for (std::size_t i = 0; i < state_.plan().size(); ++i) {
    const auto& planned = state_.plan()[i];
    for (std::int32_t partition = 0; partition < planned.partitions; ++partition) {
      partitions_.push_back({.index = i, .name = {planned.topic, partition}});
    }
  }
}

void GlobalReader::begin() {
  std::vector<TopicPartition> names;
  for (const auto& partition : partitions_) names.push_back(partition.name);
  consumer_->fetch_ends(names);
}

void GlobalReader::measured(const ConsumerEvent& event) {
  for (std::uint32_t tag = 0; tag < partitions_.size(); ++tag) {
    Partition& partition = partitions_[tag];
    const auto range = event.ranges.find(partition.name);
    if (range == event.ranges.end()) continue;
    if (!measured_) begin_restore(partition, range->second);
    consumer_->assign(partition.name, range->second.begin, tag);
  }
  measured_ = true;
}

void GlobalReader::begin_restore(Partition& partition, const ConsumerEvent::Range& range) {
  partition.end = range.end;
  partition.behind = range.begin < range.end;
  notices_.start(partition.name, store_of(partition), range.begin, range.end);
  if (partition.behind) {
    ++behind_;
  } else {
    notices_.end(partition.name, store_of(partition), 0);
  }
}

// What has come since the start is no part of the restore.
void GlobalReader::note_restored(Partition& partition, const RecordBatch& batch) {
  const auto behind_end =
      std::ranges::lower_bound(batch.records, partition.end, {}, &RecordView::offset);
  const auto records = static_cast<std::uint64_t>(behind_end - batch.records.begin());
  partition.restored += records;
  if (records > 0) {
    notices_.batch(partition.name, store_of(partition), std::prev(behind_end)->offset, records);
  }
  if (batch.next < partition.end) return;
  partition.behind = false;
  --behind_;
  notices_.end(partition.name, store_of(partition), partition.restored);
}

void GlobalReader::stop() {
  for (auto& partition : partitions_) {
    if (!std::exchange(partition.behind, false)) continue;
    notices_.suspended(partition.name, store_of(partition), partition.restored);
  }
}

bool GlobalReader::read_events() {
  bool worked = false;
  ConsumerEvent event;
  while (consumer_->poll(event)) {
    worked = true;
    if (event.kind == ConsumerEvent::Kind::kEndOffsets) {
      measured(event);
    } else if (event.kind == ConsumerEvent::Kind::kOutOfRange) {
      // Compacted or deleted before it was read: what is left begins further on.
      consumer_->fetch_ends(event.partitions);
    } else if (event.kind == ConsumerEvent::Kind::kFailed) {
      failure_ = event.error;
    }
    event = {};
  }
  return worked;
}

bool GlobalReader::run_once(std::size_t max_records) {
  bool worked = read_events();
  if (!measured_) return worked;
  batches_.clear();
  if (!consumer_->fetch(batches_, max_records)) return worked;
  for (const auto& batch : batches_) {
    Partition& partition = partitions_[batch.tag];
    for (const auto& record : batch.records) {
      state_.apply(partition.index, partition.name.partition, record);
    }
    newest_ = std::max(newest_, batch.commit);
    if (partition.behind) note_restored(partition, batch);
  }
  state_.commit(newest_);
  return true;
}

}  // namespace thalweg::internal
