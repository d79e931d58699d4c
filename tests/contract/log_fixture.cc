#include "contract/log_fixture.h"

#include <algorithm>
#include <unistd.h>

#include <thalweg/runtime/simulated_log.h>
#include <thalweg/state/simulated_storage.h>

namespace thalweg::testing {

namespace {

constexpr int kStepsMax = 10'000;

class EmbeddedHarness : public LogHarness {
 public:
  explicit EmbeddedHarness(Storage& storage) {
    auto opened = EmbeddedLog::open(storage, clock_, {.background_threads = false});
    if (!opened) throw std::runtime_error(opened.error().message);
    log_ = *std::move(opened);
  }
  Log& log() override { return *log_; }
  void settle() override {
    while (log_->step_sync()) {
    }
  }

 private:
  ManualClock clock_;
  std::unique_ptr<EmbeddedLog> log_;
};

/// Gives the harness its storage; a base, so that it outlives the log.
struct SimulatedDisk {
  SimulatedStorage storage;
};

struct RocksDbDisk {
  RocksDbDisk() {
    auto opened = open_rocksdb_storage(directory.path());
    if (!opened) throw std::runtime_error(opened.error().message);
    storage = *std::move(opened);
  }
  TemporaryDirectory directory;
  std::unique_ptr<Storage> storage;
};

class OnSimulatedDisk : SimulatedDisk, public EmbeddedHarness {
 public:
  OnSimulatedDisk() : EmbeddedHarness(storage) {}
};

class OnRocksDb : RocksDbDisk, public EmbeddedHarness {
 public:
  OnRocksDb() : EmbeddedHarness(*storage) {}
};

class SimulatedHarness final : public LogHarness {
 public:
  SimulatedHarness() : log_(make_simulated_log(clock_, {})) {}
  Log& log() override { return *log_; }
  void settle() override {
    while (log_->step()) {
    }
  }

 private:
  ManualClock clock_;
  std::unique_ptr<SimulatedLog> log_;
};

}  // namespace

std::unique_ptr<LogHarness> embedded_log_on_simulated_storage() {
  return std::make_unique<OnSimulatedDisk>();
}
std::unique_ptr<LogHarness> embedded_log_on_rocksdb() { return std::make_unique<OnRocksDb>(); }
std::unique_ptr<LogHarness> simulated_log() { return std::make_unique<SimulatedHarness>(); }

// --- Reader -----------------------------------------------------------------------------------

std::vector<Written> Reader::read(std::size_t at_once) {
  std::vector<Written> records;
  std::vector<RecordBatch> batches;
  offsets_.clear();
  harness_.settle();
  while (consumer_->fetch(batches, at_once)) harness_.settle();
  const auto copy = [](const std::optional<BytesView>& bytes) {
    return bytes ? std::optional<std::string>(*bytes) : std::nullopt;
  };
  for (const RecordBatch& batch : batches) {
    for (const RecordView& record : batch.records) {
      records.push_back({copy(record.key), copy(record.value), to_millis(record.timestamp),
                         std::string(record.headers)});
      offsets_.push_back(record.offset);
    }
    next_ = batch.next;
    end_ = batch.end;
    commit_ = std::max(commit_, batch.commit);
  }
  return records;
}

bool Reader::has_event() {
  harness_.settle();
  ConsumerEvent event;
  return consumer_->poll(event);
}

ConsumerEvent Reader::event() {
  ConsumerEvent event;
  for (int step = 0; step < kStepsMax; ++step) {
    if (consumer_->poll(event)) return event;
    harness_.settle();
  }
  ADD_FAILURE() << "the consumer has nothing to say";
  return event;
}

void Reader::follow_group() {
  harness_.settle();
  ConsumerEvent event;
  while (consumer_->poll(event)) {
    if (event.kind == ConsumerEvent::Kind::kAssigned) {
      owned_.insert(owned_.end(), event.partitions.begin(), event.partitions.end());
    } else if (event.kind == ConsumerEvent::Kind::kRevoking) {
      for (const auto& partition : event.partitions) std::erase(owned_, partition);
      consumer_->release(event.partitions);
    } else {
      ADD_FAILURE() << "an event that is not of the group: " << event.error.message;
    }
    harness_.settle();
  }
  std::ranges::sort(owned_);
}

std::map<TopicPartition, OffsetAndMetadata> Reader::committed(
    const std::vector<TopicPartition>& of) {
  consumer_->fetch_committed(of);
  const ConsumerEvent answer = event();
  EXPECT_EQ(answer.kind, ConsumerEvent::Kind::kCommitted);
  return answer.committed;
}

// --- Writer -----------------------------------------------------------------------------------

Status Writer::send(const TopicPartition& to, const Written& record) {
  return producer_->send(producer_->topic(to.topic), to.partition, record.key, record.value,
                         from_millis(record.millis), record.headers);
}

ProducerEvent Writer::event() {
  ProducerEvent event;
  for (int step = 0; step < kStepsMax; ++step) {
    if (producer_->poll(event)) return event;
    harness_.settle();
  }
  ADD_FAILURE() << "the producer has nothing to say";
  return event;
}

Writer::Kind Writer::commit() {
  producer_->commit();
  const ProducerEvent done = event();
  last_commit_ = done.commit;
  return done.kind;
}

Writer::Kind Writer::write(const TopicPartition& to, const std::vector<Written>& records) {
  producer_->begin();
  for (const Written& record : records) {
    const Status sent = send(to, record);
    EXPECT_TRUE(sent) << sent.error().message;
  }
  return commit();
}

// --- TemporaryDirectory -----------------------------------------------------------------------

TemporaryDirectory::TemporaryDirectory() {
  path_ = (std::filesystem::temp_directory_path() / "thalweg-contract-XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary directory");
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace thalweg::testing
