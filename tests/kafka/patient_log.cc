#include "kafka/patient_log.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <thread>
#include <unistd.h>

#include <thalweg/runtime/kafka_log.h>
#include <thalweg/runtime/log_decorator.h>

namespace thalweg::testing {

namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 20s;
constexpr auto kGlance = 2ms;

/// Waits until `done`, and fails the test when that takes for ever.
template <typename Done>
void wait_until(const char* what, Done done) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << "waited in vain until " << what;
      return;
    }
    std::this_thread::sleep_for(kGlance);
  }
}

/// What the clients of one test share: names with the prefix, and the brokers' own word.
struct World {
  std::string prefix;
  Onlooker onlooker;
  std::set<class PatientConsumer*> consumers = {};

  std::string in(const std::string& name) const { return prefix + name; }
  TopicPartition in(const TopicPartition& p) const { return {in(p.topic), p.partition}; }
  std::string out(const std::string& name) const { return name.substr(prefix.size()); }
  TopicPartition out(const TopicPartition& p) const { return {out(p.topic), p.partition}; }
  template <typename Value>
  std::map<TopicPartition, Value> out(const std::map<TopicPartition, Value>& inner) const {
    std::map<TopicPartition, Value> outer;
    for (const auto& [partition, value] : inner) outer[out(partition)] = value;
    return outer;
  }
  std::vector<TopicPartition> in(const std::vector<TopicPartition>& outer) const {
    std::vector<TopicPartition> inner;
    for (const auto& partition : outer) inner.push_back(in(partition));
    return inner;
  }
};

class PatientConsumer final : public LogConsumer {
 public:
  PatientConsumer(World& world, std::unique_ptr<LogConsumer> inner)
      : world_(world), inner_(std::move(inner)) {
    inner_->set_wakeup([this] { ++woken_; });
    world_.consumers.insert(this);
  }
  ~PatientConsumer() override {
    world_.consumers.erase(this);
    inner_.reset();
  }

  void subscribe(const std::vector<std::string>& topics) override {
    std::vector<std::string> inner;
    for (const auto& topic : topics) inner.push_back(world_.in(topic));
    subscribed_ = inner;
    inner_->subscribe(inner);
  }
  void release(const std::vector<TopicPartition>& partitions) override {
    asked_back_ = false;
    held_ -= static_cast<int>(partitions.size());
    inner_->release(world_.in(partitions));
  }
  GroupMetadata group_metadata() const override { return inner_->group_metadata(); }
  void leave() override {
    subscribed_.clear();
    held_ = 0;
    inner_->leave();
  }
  void assign(const TopicPartition& partition, Offset from, std::uint32_t tag) override {
    positions_[world_.in(partition)] = {from};
    partitions_[tag] = world_.in(partition);
    inner_->assign(world_.in(partition), from, tag);
  }
  void unassign(const TopicPartition& partition) override {
    positions_.erase(world_.in(partition));
    inner_->unassign(world_.in(partition));
  }
  void pause(const TopicPartition& partition) override {
    positions_[world_.in(partition)].paused = true;
    inner_->pause(world_.in(partition));
  }
  void resume(const TopicPartition& partition) override {
    positions_[world_.in(partition)].paused = false;
    drained_ = false;
    inner_->resume(world_.in(partition));
  }
  // Waits for what is committed, and until the end is told.
  bool fetch(std::vector<RecordBatch>& into, std::size_t max_records) override {
    bool found = false;
    wait_until("every committed record is read", [&] {
      const std::size_t before = into.size();
      found = inner_->fetch(into, max_records);
      for (std::size_t i = before; i < into.size(); ++i) {
        Position& position = positions_[partitions_[into[i].tag]];
        position.next = into[i].next;
        position.end_told = into[i].next == into[i].end;
      }
      return found || !behind();
    });
    woken_ = 0;
    drained_ = !found;
    return found;
  }
  void fetch_committed(const std::vector<TopicPartition>& partitions) override {
    inner_->fetch_committed(world_.in(partitions));
  }
  void fetch_ends(const std::vector<TopicPartition>& partitions,
                  const std::map<TopicPartition, Timestamp>& since) override {
    std::map<TopicPartition, Timestamp> inner;
    for (const auto& [partition, time] : since) inner.emplace(world_.in(partition), time);
    inner_->fetch_ends(world_.in(partitions), inner);
  }
  bool poll(ConsumerEvent& event) override {
    listen();
    if (heard_.empty()) return false;
    event = std::move(heard_.front());
    heard_.pop_front();
    asked_back_ |= event.kind == ConsumerEvent::Kind::kRevoking;
    return true;
  }
  void set_wakeup(std::function<void()> wakeup) override {
    inner_->set_wakeup([this, wakeup] {
      ++woken_;
      wakeup();
    });
  }

  /// Takes what the adapter has to say; whether there is anything not taken by the test.
  bool listen() {
    ConsumerEvent event;
    while (inner_->poll(event)) {
      for (auto& partition : event.partitions) partition = world_.out(partition);
      event.committed = world_.out(event.committed);
      event.ranges = world_.out(event.ranges);
      const int size = static_cast<int>(event.partitions.size());
      if (event.kind == ConsumerEvent::Kind::kAssigned) held_ += size;
      if (event.kind == ConsumerEvent::Kind::kLost) held_ -= size;
      heard_.push_back(std::move(event));
      event = {};
    }
    return !heard_.empty();
  }
  const std::vector<std::string>& subscribed() const { return subscribed_; }
  const std::string& group() const { return group_; }
  void set_group(std::string group) { group_ = std::move(group); }
  /// Whether a record is there that has neither been read nor told of.
  bool untold() { return drained_ && woken_ == 0 && behind(); }
  /// Whether the group waits for the test to release something.
  bool owes() const { return asked_back_; }
  /// How many partitions it has been given by its group and has not released.
  int held() const { return held_; }

 private:
  struct Position {
    Offset next = 0;
    bool end_told = false;
    bool paused = false;
  };

  bool behind() {
    return std::ranges::any_of(positions_, [&](const auto& item) {
      const auto& [partition, position] = item;
      if (position.paused || is_out_of_range(partition)) return false;
      return !position.end_told || position.next != world_.onlooker.stable_end(partition);
    });
  }
  bool is_out_of_range(const TopicPartition& partition) {
    listen();
    return std::ranges::any_of(heard_, [&](const ConsumerEvent& event) {
      return event.kind == ConsumerEvent::Kind::kOutOfRange &&
             event.partitions.front() == world_.out(partition);
    });
  }

  World& world_;
  std::unique_ptr<LogConsumer> inner_;
  std::map<TopicPartition, Position> positions_;
  std::map<std::uint32_t, TopicPartition> partitions_;
  std::deque<ConsumerEvent> heard_;
  std::vector<std::string> subscribed_;
  std::string group_;
  std::atomic<int> woken_ = 0;
  bool drained_ = false;  ///< The last fetch() found nothing.
  bool asked_back_ = false;
  int held_ = 0;
};

class PatientProducer final : public LogProducerDecorator {
 public:
  PatientProducer(World& world, Log& log, std::unique_ptr<LogProducer> inner)
      : LogProducerDecorator(std::move(inner)), world_(world), log_(log) {}

  TopicHandle topic(std::string_view name) override {
    return LogProducerDecorator::topic(world_.in(std::string(name)));
  }
  void send_offsets(const std::map<TopicPartition, OffsetAndMetadata>& offsets,
                    const GroupMetadata& group) override {
    std::map<TopicPartition, OffsetAndMetadata> inner;
    for (const auto& [partition, offset] : offsets) inner[world_.in(partition)] = offset;
    LogProducerDecorator::send_offsets(inner, group);
    offsets_ = std::move(inner);
    group_ = group.group;
  }
  // A transaction is over a moment before its end can be seen everywhere.
  bool poll(ProducerEvent& event) override {
    if (!LogProducerDecorator::poll(event)) return false;
    const bool committed = event.kind == ProducerEvent::Kind::kCommitted;
    if (!committed && event.kind != ProducerEvent::Kind::kAborted) return true;
    const auto topics = log_.topics().value();
    for (const auto& spec : topics) {
      if (!spec.name.starts_with(world_.prefix)) continue;
      for (std::int32_t i = 0; i < spec.partitions; ++i) {
        wait_until("a transaction's end is in every partition", [&] {
          const TopicPartition partition{spec.name, i};
          return world_.onlooker.stable_end(partition) == world_.onlooker.end(partition);
        });
      }
    }
    if (committed && !offsets_.empty()) {
      wait_until("the offsets are committed", [&] {
        const auto now = log_.committed(group_);
        return std::ranges::all_of(offsets_, [&](const auto& item) {
          const auto found = now.find(item.first);
          return found != now.end() && found->second == item.second;
        });
      });
    }
    offsets_.clear();
    return true;
  }

 private:
  World& world_;
  Log& log_;
  std::map<TopicPartition, OffsetAndMetadata> offsets_;
  std::string group_;
};

class PatientLog final : public Log {
 public:
  PatientLog(World& world, std::unique_ptr<Log> inner) : world_(world), inner_(std::move(inner)) {}

  std::unique_ptr<LogConsumer> consumer(const ConsumerOptions& options) override {
    ConsumerOptions own = options;
    if (!own.group.empty()) own.group = world_.in(own.group);
    auto consumer = std::make_unique<PatientConsumer>(world_, inner_->consumer(own));
    consumer->set_group(own.group);
    return consumer;
  }
  std::unique_ptr<LogProducer> producer(const ProducerOptions& options) override {
    ProducerOptions own = options;
    if (!own.transactional_id.empty()) own.transactional_id = world_.in(own.transactional_id);
    return std::make_unique<PatientProducer>(world_, *inner_, inner_->producer(own));
  }
  Durability& durability() override { return inner_->durability(); }
  std::string cluster_id() const override { return inner_->cluster_id(); }
  Result<std::vector<TopicSpec>> topics() const override {
    auto told = inner_->topics();
    if (!told) return told;
    std::vector<TopicSpec>& all = *told;
    std::erase_if(all, [&](const auto& spec) { return !spec.name.starts_with(world_.prefix); });
    for (auto& spec : all) spec.name = world_.out(spec.name);
    return told;
  }
  Result<TopicSpec> topic(const std::string& name) const override {
    auto spec = inner_->topic(world_.in(name));
    if (spec) spec->name = name;
    return spec;
  }
  Status create_topic(const TopicSpec& spec) override {
    TopicSpec own = spec;
    own.name = world_.in(spec.name);
    return inner_->create_topic(own);
  }
  Status delete_topic(const std::string& name) override {
    auto deleted = inner_->delete_topic(world_.in(name));
    if (!deleted) return deleted;
    wait_until("the topic is gone", [&] { return !inner_->topic(world_.in(name)); });
    return deleted;
  }
  void delete_records(const TopicPartition& partition, Offset before) override {
    inner_->delete_records(world_.in(partition), before);
    wait_until("the records are gone", [&] {
      const auto range = inner_->range(world_.in(partition));
      return range && range->begin >= before;
    });
  }
  Result<ConsumerEvent::Range> range(const TopicPartition& partition) const override {
    return inner_->range(world_.in(partition));
  }
  std::map<TopicPartition, OffsetAndMetadata> committed(const std::string& group) const override {
    return world_.out(inner_->committed(world_.in(group)));
  }

  Log& inner() { return *inner_; }

 private:
  World& world_;
  std::unique_ptr<Log> inner_;
};

class KafkaHarness final : public LogHarness {
 public:
  KafkaHarness()
      : world_{prefix(), Onlooker(KafkaCluster::shared().bootstrap_servers())},
        log_(world_, open()) {}

  Log& log() override { return log_; }
  bool makes_topics() const override { return false; }

  void settle() override {
    std::this_thread::sleep_for(kGlance);
    for (const auto& group : groups()) settle_group(group);
    wait_until("readers are told of new records", [&] {
      return std::ranges::none_of(world_.consumers,
                                  [](auto* consumer) { return consumer->untold(); });
    });
  }

 private:
  static std::string prefix() {
    static std::atomic<int> tests = 0;
    return "t" + std::to_string(++tests) + "-";
  }
  static std::unique_ptr<Log> open() {
    auto log = open_kafka_log({.bootstrap_servers = KafkaCluster::shared().bootstrap_servers(),
                               .properties = {{"consumer.heartbeat.interval.ms", "100"},
                                              {"consumer.session.timeout.ms", "6000"},
                                              {"consumer.fetch.wait.max.ms", "50"}}});
    if (!log) throw std::runtime_error(log.error().message);
    return *std::move(log);
  }
  std::set<std::string> groups() const {
    std::set<std::string> groups;
    for (const auto* consumer : world_.consumers) {
      if (!consumer->subscribed().empty()) groups.insert(consumer->group());
    }
    return groups;
  }

  // Until a test must do something, or all is shared out among all.
  void settle_group(const std::string& group) {
    int members = 0;
    std::set<std::string> topics;
    for (const auto* consumer : world_.consumers) {
      if (consumer->group() != group || consumer->subscribed().empty()) continue;
      ++members;
      topics.insert(consumer->subscribed().begin(), consumer->subscribed().end());
    }
    int partitions = 0;
    for (const auto& topic : topics) {
      if (const auto spec = log_.inner().topic(topic)) partitions += spec->partitions;
    }
    wait_until("the group is stable", [&] {
      bool spoken = false;
      for (auto* consumer : world_.consumers) spoken |= consumer->listen() || consumer->owes();
      if (spoken) return true;
      const auto now = world_.onlooker.group(group);
      if (!now || now->members != members || now->partitions != partitions) return false;
      // The brokers know of a share before its owner does.
      int held = 0;
      for (const auto* consumer : world_.consumers) {
        if (consumer->group() == group) held += consumer->held();
      }
      return held == partitions;
    });
  }

  World world_;
  PatientLog log_;
};

}  // namespace

std::unique_ptr<LogHarness> kafka_log() { return std::make_unique<KafkaHarness>(); }

std::vector<LogUnderTest> logs_under_test() { return {{"Kafka", &kafka_log}}; }

}  // namespace thalweg::testing
