#include "simulation/simulated_process.h"

#include <stdexcept>
#include <utility>

#include <thalweg/schemas/partitioning.h>

namespace thalweg::simulation {

namespace {

using namespace std::chrono_literals;

// Far more rounds than any scenario needs: reaching it means that something never comes to rest.
constexpr int kMaxRounds = 200'000;
constexpr int kIdleRounds = 80;  // 4 s: longer than the longest back-off.

void require(const Status& status) {
  if (!status) throw std::runtime_error(status.error().message);
}

}  // namespace

StreamsConfig simulation_config(std::string application_id, std::int32_t workers) {
  StreamsConfig config;
  config.application_id = std::move(application_id);
  config.client_id = config.application_id;
  config.num_stream_threads = workers;
  config.state_spill_interval = 300ms;
  config.repartition_purge_interval = 1000ms;
  config.transaction_timeout = 600ms;  // Shorter than the rest that run_until_idle() waits for.
  return config;
}

std::vector<LoggedRecord> read_topic(Log& log, ManualClock& clock, const std::string& topic) {
  std::vector<LoggedRecord> records;
  const auto spec = log.topic(topic);
  if (!spec) return records;
  auto consumer = log.consumer({.client_id = "test"});
  std::map<std::uint32_t, Offset> missing;
  for (std::int32_t partition = 0; partition < spec->partitions; ++partition) {
    const auto range = log.range({topic, partition});
    if (!range || range->begin == range->end) continue;
    const auto tag = static_cast<std::uint32_t>(partition);
    consumer->assign({topic, partition}, range->begin, tag);
    missing[tag] = range->end;
  }
  for (int round = 0; !missing.empty(); ++round) {
    if (round == kMaxRounds)
      throw std::runtime_error("topic " + topic + " cannot be read to its end");
    std::vector<RecordBatch> batches;
    if (!consumer->fetch(batches, 10'000)) clock.advance(10ms);
    for (const auto& batch : batches) {
      for (const auto& record : batch.records) {
        LoggedRecord logged{static_cast<std::int32_t>(batch.tag), record.offset, {}, {},
                            record.timestamp};
        if (record.key) logged.key.emplace(*record.key);
        if (record.value) logged.value.emplace(*record.value);
        records.push_back(std::move(logged));
      }
      if (const auto left = missing.find(batch.tag);
          left != missing.end() && batch.next >= left->second) {
        missing.erase(left);
      }
    }
  }
  return records;
}

void run_until_idle(ManualClock& clock, const std::function<bool()>& round) {
  int idle_rounds = 0;
  for (int rounds = 0; idle_rounds < kIdleRounds; ++rounds) {
    if (rounds == kMaxRounds) throw std::runtime_error("the process never comes to rest");
    if (round()) {
      idle_rounds = 0;
      continue;
    }
    ++idle_rounds;
    clock.advance(50ms);
  }
}

SimulatedProcess::SimulatedProcess(Log& log, Storage& storage, ManualClock& clock,
                                   const std::vector<ApplicationSpec>& applications,
                                   Random& random, const std::string& name)
    : random_(random) {
  for (const auto& spec : applications) {
    Application application{.spec = spec};
    application.spec.config.client_id = name;
    application.topology = std::make_unique<Topology>(spec.topology());
    application.plan = internal::plan_application(*application.topology, spec.config, log, true);
    require(internal::create_internal_topics(application.plan, log));
    application.state = std::make_unique<internal::ApplicationState>();
    application.spiller = std::make_unique<internal::Spiller>(log.durability());
    applications_.push_back(std::move(application));
  }
  for (auto& application : applications_) {
    const StreamsConfig& config = application.spec.config;
    for (std::int32_t i = 0; i < config.num_stream_threads; ++i) {
      application.workers.push_back(std::make_unique<internal::Worker>(internal::WorkerSetup{
          .index = i,
          .transactional_id = config.application_id + "-" + name + "-" + std::to_string(i),
          .topology = application.topology.get(),
          .plan = &application.plan,
          .config = &config,
          .environment = {.log = &log,
                          .storage = &storage,
                          .clock = &clock,
                          .budget = &budget_,
                          .metrics = &metrics_},
          .state = application.state.get(),
          .spiller = application.spiller.get(),
          .restore_listener = application.spec.restore_listener,
          .restore_records = 2}));
    }
    for (auto& worker : application.workers) {
      worker->set_wakeup([] {});
      worker->join();
    }
  }
}

void SimulatedProcess::step() {
  auto& application = applications_[random_() % applications_.size()];
  if (random_() % 4 == 0) {
    application.spiller->run_once();
    return;
  }
  application.workers[random_() % application.workers.size()]->run_once();
  check_workers();
}

bool SimulatedProcess::step_all() {
  bool worked = false;
  for (auto& application : applications_) {
    worked |= application.spiller->run_once();
    for (auto& worker : application.workers) worked |= worker->run_once();
  }
  check_workers();
  return worked;
}

void SimulatedProcess::request_stop() {
  for (auto& application : applications_) {
    for (auto& worker : application.workers) worker->request_stop();
  }
}

bool SimulatedProcess::running() const {
  for (const auto& application : applications_) {
    for (const auto& worker : application.workers) {
      if (!worker->settled()) return false;
    }
  }
  return true;
}

bool SimulatedProcess::restoring() const {
  for (const auto& application : applications_) {
    for (const auto& task : application.state->tasks()) {
      if (task.state == TaskInfo::State::kRestoring) return true;
    }
  }
  return false;
}

void SimulatedProcess::check_workers() const {
  for (const auto& application : applications_) {
    for (const auto& worker : application.workers) {
      if (worker->failure()) throw std::runtime_error("worker failed: " + *worker->failure());
    }
  }
}

EmbeddedProcess::EmbeddedProcess(SimulatedStorage& storage, ManualClock& clock,
                                 const std::vector<ApplicationSpec>& applications, Random& random)
    : clock_(clock), random_(random) {
  auto log = EmbeddedLog::open(storage, clock, {.background_threads = false});
  if (!log) throw std::runtime_error(log.error().message);
  log_ = *std::move(log);
  client_ = log_->producer({.client_id = "test"});
  client_->init();
  workers_ = std::make_unique<SimulatedProcess>(*log_, storage, clock, applications, random);
}

void EmbeddedProcess::step() {
  if (random_() % 4 == 0) {
    log_->step_sync();
  } else {
    workers_->step();
  }
}

void EmbeddedProcess::run_until_idle() {
  simulation::run_until_idle(clock_, [this] {
    const bool synced = log_->step_sync();
    return workers_->step_all() || synced;
  });
}

void EmbeddedProcess::produce(const std::string& topic,
                              const std::vector<std::pair<std::string, std::string>>& records,
                              std::function<void()> done) {
  client_->begin();
  const TopicHandle handle = client_->topic(topic);
  for (const auto& [key, value] : records) {
    const auto partition = partition_of(key, client_->partitions(handle).value());
    require(client_->send(handle, partition, key, value, clock_.wall_clock(), {}));
  }
  client_->commit();
  ProducerEvent event;
  while (client_->poll(event)) {
    if (event.kind == ProducerEvent::Kind::kCommitted) {
      log_->durability().when_durable(event.commit, std::move(done));
    }
  }
}

}  // namespace thalweg::simulation
