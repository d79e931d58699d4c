#include "simulation/simulated_process.h"

#include <stdexcept>
#include <utility>

#include <thalweg/schemas/partitioning.h>

namespace thalweg::simulation {

namespace {

using namespace std::chrono_literals;

// Far more steps than any scenario needs: reaching it means that something never comes to rest.
constexpr int kMaxRounds = 200'000;

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
  return config;
}

std::vector<LoggedRecord> read_topic(Log& log, const std::string& topic) {
  std::vector<LoggedRecord> records;
  const auto spec = log.topic(topic);
  if (!spec) return records;
  auto consumer = log.consumer({.client_id = "test"});
  for (std::int32_t partition = 0; partition < spec->partitions; ++partition) {
    const auto range = log.range({topic, partition});
    if (range) consumer->assign({topic, partition}, range->begin, static_cast<std::uint32_t>(partition));
  }
  std::vector<RecordBatch> batches;
  while (consumer->fetch(batches, 10'000)) {
    for (const auto& batch : batches) {
      for (const auto& record : batch.records) {
        LoggedRecord logged{static_cast<std::int32_t>(batch.tag), record.offset, {}, {},
                            record.timestamp};
        if (record.key) logged.key.emplace(*record.key);
        if (record.value) logged.value.emplace(*record.value);
        records.push_back(std::move(logged));
      }
    }
    batches.clear();
  }
  return records;
}

SimulatedProcess::SimulatedProcess(SimulatedStorage& storage, ManualClock& clock,
                                   const std::vector<ApplicationSpec>& applications, Random& random)
    : clock_(clock), random_(random) {
  auto log = EmbeddedLog::open(storage, clock, {.background_threads = false});
  if (!log) throw std::runtime_error(log.error().message);
  log_ = *std::move(log);
  client_ = log_->producer({.client_id = "test"});
  client_->init();
  for (const auto& spec : applications) {
    Application application{.spec = spec};
    application.topology = std::make_unique<Topology>(spec.topology());
    application.plan = internal::plan_application(*application.topology, spec.config, *log_, true);
    require(internal::create_internal_topics(application.plan, *log_));
    application.state = std::make_unique<internal::ApplicationState>();
    application.spiller = std::make_unique<internal::Spiller>(log_->durability());
    applications_.push_back(std::move(application));
  }
  for (auto& application : applications_) {
    for (std::int32_t i = 0; i < application.spec.config.num_stream_threads; ++i) {
      application.workers.push_back(std::make_unique<internal::Worker>(internal::WorkerSetup{
          .index = i,
          .transactional_id = application.spec.config.application_id + "-" + std::to_string(i),
          .topology = application.topology.get(),
          .plan = &application.plan,
          .config = &application.spec.config,
          .environment = {.log = log_.get(), .storage = &storage, .clock = &clock,
                          .budget = &budget_},
          .state = application.state.get(),
          .spiller = application.spiller.get(),
          .restore_records = 2}));
    }
    for (auto& worker : application.workers) {
      worker->set_wakeup([] {});
      worker->join();
    }
  }
}

bool SimulatedProcess::step() {
  const std::size_t choice = random_() % (applications_.size() * 4 + 1);
  if (choice == 0) return log_->step_sync();
  auto& application = applications_[(choice - 1) / 4];
  if ((choice - 1) % 4 == 0) return application.spiller->run_once();
  auto& worker = application.workers[random_() % application.workers.size()];
  const bool worked = worker->run_once();
  check_workers();
  return worked;
}

void SimulatedProcess::run_until_idle() {
  int idle_rounds = 0;
  for (int round = 0; idle_rounds < 20; ++round) {
    if (round == kMaxRounds) throw std::runtime_error("the process never comes to rest");
    bool worked = log_->step_sync();
    for (auto& application : applications_) {
      worked |= application.spiller->run_once();
      for (auto& worker : application.workers) worked |= worker->run_once();
    }
    check_workers();
    idle_rounds = worked ? 0 : idle_rounds + 1;
    if (!worked) clock_.advance(50ms);
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

void SimulatedProcess::produce(const std::string& topic,
                               const std::vector<std::pair<std::string, std::string>>& records,
                               std::function<void()> done) {
  client_->begin();
  const TopicHandle handle = client_->topic(topic);
  for (const auto& [key, value] : records) {
    const auto partition = partition_of(key, client_->partitions(handle));
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
