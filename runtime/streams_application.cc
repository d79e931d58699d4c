#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <random>
#include <utility>

#include <spdlog/spdlog.h>

#include <thalweg/runtime/streams_application.h>
#include <thalweg/schemas/check.h>

#include "application_plan.h"
#include "application_record.h"
#include "application_state.h"
#include "remote_positions.h"
#include "remote_view.h"
#include "source_watch.h"
#include "spiller.h"
#include "stream_thread.h"
#include "streams_metadata.h"
#include "warm_up.h"

namespace thalweg {

namespace {

using internal::ApplicationPlan;
using internal::ApplicationState;
using internal::GroupView;
using internal::PlannedSubTopology;
using internal::RemotePositions;
using internal::SourceWatch;
using internal::Spiller;
using internal::StreamsMetadataState;
using internal::StreamThread;
using internal::WarmUp;
using internal::Worker;
using internal::WorkerSetup;

constexpr std::string_view state_name(StreamsApplication::State state) {
  constexpr std::array<std::string_view, 6> kNames{"CREATED",          "REBALANCING", "RUNNING",
                                                   "PENDING_SHUTDOWN", "NOT_RUNNING", "ERROR"};
  return kNames[static_cast<std::size_t>(state)];
}

}  // namespace

class StreamsApplication::Impl {
 public:
  Impl(Topology topology, StreamsConfig config, Environment environment)
      : topology_(std::move(topology)),
        config_(std::move(config)),
        environment_(std::move(environment)) {
    if (config_.application_id.empty()) {
      throw ConfigError("application.id is not set: it names the group and the internal topics");
    }
    if (config_.client_id.empty()) config_.client_id = config_.application_id;
    THALWEG_CHECK(environment_.log && environment_.clock && environment_.budget,
                  "an application needs a log, a clock and a memory budget");
    if (environment_.peers) ask_peers();
  }

  ~Impl() { close(); }

  Status start() {
    {
      std::lock_guard lock(lifecycle_);
      if (state_ != State::kCreated) {
        return thalweg::failure(ErrorCode::kInvalid, "the application was started before");
      }
      change_state(State::kRebalancing);
    }
    if (auto planned = make_plan(); !planned) return planned;
    record();
    spiller_ = std::make_unique<Spiller>(environment_.log->durability());
    spiller_->start();
    const bool joins = !environment_.instance.empty() && config_.num_stream_threads > 0;
    if (joins) warm_up_ = make_warm_up();
    if (auto started = start_workers(); !started) return started;
    if (!environment_.instance.empty()) {
      const std::lock_guard watching(watch_mutex_);
      watch_ = std::make_unique<SourceWatch>(
          topology_, *environment_.log, metadata_age(),
          [this] { return plan_.load()->sources; },
          [this](const std::string& what) { on_sources_changed(what); });
    }
    return {};
  }

  /// For tools that look into the directory when nothing runs: without it, they see less.
  void record() {
    if (!environment_.storage) return;
    const auto recorded = internal::record_application(
        environment_.storage->journal(), config_.application_id, topology_, stores());
    if (!recorded) spdlog::warn("{}: {}", config_.application_id, recorded.error().message);
  }

  void close() {
    stop_watch();
    std::lock_guard lock(lifecycle_);
    const State before = state_;
    if (before == State::kNotRunning || before == State::kCreated) {
      change_state(State::kNotRunning);
      return;
    }
    if (before != State::kError) change_state(State::kPendingShutdown);
    stop_workers(before != State::kError);
    if (spiller_) spiller_->stop();
    if (elsewhere_) elsewhere_->close();
    published_.drop_waiters();
    if (before != State::kError) change_state(State::kNotRunning);
  }

  State state() const { return state_; }

  void on_state_change(std::function<void(State, State)> listener) {
    listener_ = std::move(listener);
  }

  void set_state_restore_listener(std::shared_ptr<StateRestoreListener> listener) {
    restore_listener_ = std::move(listener);
  }

  std::optional<std::string> failure_reason() const {
    std::lock_guard lock(failure_mutex_);
    return failure_;
  }

  std::vector<StoreInfo> stores() const {
    std::vector<StoreInfo> stores;
    for (const auto& sub : topology_.subtopologies()) {
      for (const auto& name : sub.stores) stores.push_back(store_info(sub.id, name));
    }
    for (const auto& global : topology_.global_stores()) {
      stores.push_back(store_info(global.subtopology, global.store));
      stores.back().partitions = 1;  // Whatever the topic's: each instance has all of them as one.
    }
    return stores;
  }

  Result<std::vector<std::shared_ptr<const StoreView>>> views(std::string_view store) const {
    const auto plan = plan_.load();
    for (const auto& sub : plan->subtopologies) {
      if (std::ranges::find(sub.stores, store, &PlannedSubTopology::Store::name) ==
          sub.stores.end()) {
        continue;
      }
      std::vector<std::shared_ptr<const StoreView>> views(static_cast<std::size_t>(sub.tasks));
      for (auto& [partition, view] : published_.views(store)) {
        views[static_cast<std::size_t>(partition)] = std::move(view);
      }
      return views;
    }
    for (const auto& global : plan->globals) {
      if (global.store != store) continue;
      std::vector<std::shared_ptr<const StoreView>> views(1);
      for (auto& [partition, view] : published_.views(store)) views[0] = std::move(view);
      return views;
    }
    const auto stores = this->stores();
    const bool known = std::ranges::find(stores, store, &StoreInfo::name) != stores.end();
    return known ? thalweg::failure(ErrorCode::kUnavailable, "the application is not running yet")
                 : thalweg::failure(ErrorCode::kNotFound,
                                    config_.application_id + " has no store " + std::string(store));
  }

  Result<std::vector<std::shared_ptr<const StoreView>>> all_views(std::string_view store) const {
    auto views = this->views(store);
    if (!views || !environment_.peers) return views;
    for (std::size_t i = 0; i < views->size(); ++i) {
      const auto partition = static_cast<std::int32_t>(i);
      if ((*views)[i]) continue;
      if (auto server = active_host(store, partition)) {
        (*views)[i] = std::make_shared<internal::RemoteView>(
            *environment_.peers, *std::move(server), config_.application_id, std::string(store),
            partition);
      }
    }
    return views;
  }

  using Waiter = internal::PositionWaiters::Waiter;

  void when_processed(const TopicPartition& input, Offset offset, Waiter waiter) {
    if (!elsewhere_ || !plan_.load()->task_of(input)) {
      return published_.when_processed(input, offset, std::move(waiter));
    }
    if (published_.when_processed_here(input, offset, waiter)) return;
    elsewhere_->when_processed(input, offset, std::move(waiter));
  }

  std::optional<std::string> active_host(std::string_view store, std::int32_t partition) const {
    const auto metadata = metadata_.load();
    if (!metadata) return std::nullopt;
    const auto plan = plan_.load();
    for (const auto& sub : plan->subtopologies) {
      if (std::ranges::find(sub.stores, store, &PlannedSubTopology::Store::name) !=
          sub.stores.end()) {
        return metadata->server_of({sub.id, partition});
      }
    }
    return std::nullopt;
  }

  bool reads(const TopicPartition& input) const { return plan_.load()->may_read(input, topology_); }
  const Topology& topology() const { return topology_; }
  const StreamsConfig& config() const { return config_; }
  const Environment& environment() const { return environment_; }
  ApplicationState& published() { return published_; }

 private:
  void ask_peers() {
    elsewhere_ = std::make_shared<RemotePositions>(RemotePositions::Setup{
        .peers = environment_.peers,
        .application_id = config_.application_id,
        .owner = [this](const TopicPartition& input) -> std::optional<std::string> {
          const auto metadata = metadata_.load();
          const auto task = plan_.load()->task_of(input);
          return metadata && task ? metadata->server_of(*task) : std::nullopt;
        },
        .take_here = [this](const TopicPartition& input, Offset offset, Waiter& waiter) {
          return published_.when_processed_here(input, offset, waiter);
        }});
    published_.on_move([this](const TopicPartition& input, Offset offset, Waiter waiter) {
      elsewhere_->when_processed(input, offset, std::move(waiter));
    });
  }

  WorkerSetup worker_setup(std::int32_t index) {
    return {.index = index,
            .transactional_id =
                internal::transactional_id(config_.application_id, environment_.instance, index),
            .member = environment_.instance.empty()
                          ? std::string()
                          : internal::member_client_id(environment_.instance, index),
            .topology = &topology_,
            .plan = plan_.load().get(),
            .config = &config_,
            .environment = environment_,
            .state = &published_,
            .spiller = spiller_.get(),
            .metadata = metadata_.load().get(),
            .warm_up = warm_up_.get(),
            .restore_listener = restore_listener_.get()};
  }

  Status make_plan(const std::string& reason = {}) {
    try {
      auto plan = internal::plan_application(topology_, config_, *environment_.log,
                                             config_.bootstrap_servers.empty());
      if (auto created = internal::create_internal_topics(plan, *environment_.log); !created) {
        fail(reason + created.error().message);
        return created;
      }
      plan_ = std::make_shared<const ApplicationPlan>(std::move(plan));
    } catch (const TopologyError& error) {
      fail(reason + error.what());
      return thalweg::failure(ErrorCode::kInvalid, error.what());
    }
    return {};
  }

  Status start_workers() {
    if (!environment_.instance.empty()) {
      metadata_ = std::make_shared<StreamsMetadataState>(metadata_setup());
    }
    for (std::int32_t i = 0; i < config_.num_stream_threads; ++i) {
      threads_.push_back(std::make_unique<StreamThread>(
          std::make_unique<Worker>(worker_setup(i)), *environment_.clock,
          config_.stream_thread_nice, [this] { on_progress(); }));
    }
    if (const auto metadata = metadata_.load()) {
      if (auto started = metadata->start(); !started) {
        fail(started.error().message);
        return started;
      }
    }
    for (auto& thread : threads_) thread->start();
    return {};
  }

  void stop_workers(bool is_clean) {
    for (auto& thread : threads_) thread->request_stop();
    for (auto& thread : threads_) thread->join();
    const auto metadata = metadata_.exchange(nullptr);
    if (metadata) metadata->stop(is_clean);
    threads_.clear();  // Until then it may wake them.
  }

  void stop_watch() {
    std::unique_ptr<SourceWatch> watch;
    const std::lock_guard lock(watch_mutex_);
    watch = std::move(watch_);
  }

  /// How old what is known of topics may be; Kafka's clients' own setting.
  std::chrono::milliseconds metadata_age() const {
    for (const char* key : {"main.consumer.metadata.max.age.ms", "consumer.metadata.max.age.ms",
                            "metadata.max.age.ms"}) {
      const auto found = config_.client_properties.find(key);
      if (found == config_.client_properties.end()) continue;
      return std::chrono::milliseconds(std::max(100L, std::atol(found->second.c_str())));
    }
    return std::chrono::seconds(30);
  }

  // Every process sees it for itself. In between some go by the old plan: they read fewer topics,
  // and commit positions of those alone.
  void on_sources_changed(const std::string& what) {
    const std::lock_guard lock(lifecycle_);
    if (state_ != State::kRunning && state_ != State::kRebalancing) return;
    spdlog::info("{}: {}; planning anew", config_.application_id, what);
    change_state(State::kRebalancing);
    stop_workers(true);
    warm_up_.reset();  // What was here is here still.
    if (!make_plan(what + ": ")) return;
    if (auto started = start_workers(); !started) fail(started.error().message);
  }

  StreamsMetadataState::Setup metadata_setup() {
    return {.log = environment_.log,
            .application_id = config_.application_id,
            .instance = environment_.instance,
            .server = config_.application_server,
            .workers = config_.num_stream_threads,
            .on_look = [this](const GroupView& group) { on_look(group); },
            .transactional = config_.processing_guarantee == ProcessingGuarantee::kExactlyOnceV2,
            .transaction_timeout = config_.transaction_timeout,
            .standby_replicas = config_.num_standby_replicas,
            .plan = plan_.load(),
            .warm_up = warm_up_.get()};
  }

  std::unique_ptr<WarmUp> make_warm_up() {
    const auto plan = plan_.load();
    return std::make_unique<WarmUp>(
        WarmUp::Setup{.application_id = config_.application_id,
                      .instance = environment_.instance,
                      .tasks = plan->tasks_with_state(),
                      .acceptable_lag = config_.acceptable_recovery_lag,
                      .at_a_time = config_.max_warmup_replicas,
                      .lag =
                          [this, plan](TaskId task) {
                            return published_.lag_of_copy(*plan, task);
                          },
                      .on_joining =
                          [this] {
                            for (auto& thread : threads_) thread->wake();
                          }},
        environment_.clock->now());
  }

  StoreInfo store_info(std::int32_t subtopology, const std::string& name) const {
    const auto plan = plan_.load();
    const auto store = topology_.store_builder(name).build();
    StoreInfo info{.name = name,
                   .kind = store->kind(),
                   .key_schema = store->key_schema(),
                   .value_schema = store->value_schema()};
    for (const auto& sub : plan->subtopologies) {
      if (sub.id == subtopology) info.partitions = sub.tasks;
    }
    for (const auto& [partition, view] : published_.views(name)) {
      info.available.push_back(partition);
      info.approximate_entries += view->approximate_entries();
    }
    return info;
  }

  // Called by the stream threads: looks at all workers and tells the state.
  void on_progress() {
    for (const auto& thread : threads_) {
      if (!thread->worker().stopped() || !thread->worker().failure()) continue;
      fail(*thread->worker().failure());
      for (auto& other : threads_) other->request_stop();
      return;
    }
    std::lock_guard lock(progress_mutex_);
    const State state = state_;
    if (state != State::kRebalancing && state != State::kRunning) return;
    const bool settled = std::ranges::all_of(
        threads_, [](const auto& thread) { return thread->worker().settled(); });
    const State now = settled ? State::kRunning : State::kRebalancing;
    if (now != state) change_state(now);
  }

  void on_look(const GroupView& group) {
    if (warm_up_) warm_up_->look(group, environment_.clock->now());
    if (config_.num_stream_threads == 0) look_on();
  }

  // Of an onlooker: what workers would tell.
  void look_on() {
    const std::lock_guard lock(progress_mutex_);
    const State state = state_;
    const auto metadata = metadata_.load();
    if (!metadata || (state != State::kRebalancing && state != State::kRunning)) return;
    change_state(metadata->all_tasks_answer() ? State::kRunning : State::kRebalancing);
  }

  void fail(std::string reason) {
    {
      std::lock_guard lock(failure_mutex_);
      if (!failure_) failure_ = std::move(reason);
    }
    change_state(State::kError);
  }

  void change_state(State to) {
    const State from = state_.exchange(to);
    if (from == to) return;
    spdlog::info("{}: {} -> {}", config_.application_id, state_name(from), state_name(to));
    if (listener_) listener_(from, to);
  }

  Topology topology_;
  StreamsConfig config_;
  Environment environment_;
  // Replaced as a whole when topics have changed; workers of an earlier one have ended by then.
  std::atomic<std::shared_ptr<const ApplicationPlan>> plan_ =
      std::make_shared<const ApplicationPlan>();
  ApplicationState published_;
  std::atomic<std::shared_ptr<StreamsMetadataState>> metadata_;  // Null: no other processes.
  std::shared_ptr<RemotePositions> elsewhere_;  // Null: other processes are not asked.
  std::unique_ptr<Spiller> spiller_;
  std::unique_ptr<WarmUp> warm_up_;  // Null: there is nothing to wait for.
  std::vector<std::unique_ptr<StreamThread>> threads_;
  std::unique_ptr<SourceWatch> watch_;

  std::mutex lifecycle_;  // start(), close() and a change of the plan, one at a time.
  std::mutex watch_mutex_;
  std::mutex progress_mutex_;
  std::atomic<State> state_ = State::kCreated;
  std::function<void(State, State)> listener_;
  std::shared_ptr<StateRestoreListener> restore_listener_;  // Null: nobody listens.
  mutable std::mutex failure_mutex_;
  std::optional<std::string> failure_;
};

StreamsApplication::StreamsApplication(Topology topology, StreamsConfig config,
                                       Environment environment)
    : impl_(
          std::make_unique<Impl>(std::move(topology), std::move(config), std::move(environment))) {}

StreamsApplication::~StreamsApplication() = default;

Status StreamsApplication::start() { return impl_->start(); }
void StreamsApplication::close() { impl_->close(); }
StreamsApplication::State StreamsApplication::state() const { return impl_->state(); }

void StreamsApplication::on_state_change(std::function<void(State from, State to)> listener) {
  impl_->on_state_change(std::move(listener));
}

void StreamsApplication::set_state_restore_listener(
    std::shared_ptr<StateRestoreListener> listener) {
  impl_->set_state_restore_listener(std::move(listener));
}

std::optional<std::string> StreamsApplication::failure() const { return impl_->failure_reason(); }
const StreamsConfig& StreamsApplication::config() const { return impl_->config(); }
const Topology& StreamsApplication::topology() const { return impl_->topology(); }
const Environment& StreamsApplication::environment() const { return impl_->environment(); }
std::vector<TaskInfo> StreamsApplication::tasks() const { return impl_->published().tasks(); }
std::vector<StoreInfo> StreamsApplication::stores() const { return impl_->stores(); }

Result<std::vector<std::shared_ptr<const StoreView>>> StreamsApplication::views(
    std::string_view store) const {
  return impl_->views(store);
}

Result<std::vector<std::shared_ptr<const StoreView>>> StreamsApplication::all_views(
    std::string_view store) const {
  return impl_->all_views(store);
}

std::optional<std::string> StreamsApplication::active_host(std::string_view store,
                                                           std::int32_t partition) const {
  return impl_->active_host(store, partition);
}

std::optional<StandbyView> StreamsApplication::standby(std::string_view store,
                                                       std::int32_t partition) const {
  return impl_->published().standby(store, partition);
}

bool StreamsApplication::reads(const TopicPartition& input) const { return impl_->reads(input); }

void StreamsApplication::when_processed(const TopicPartition& input, Offset offset,
                                        std::function<void()> done,
                                        std::function<bool()> is_over) {
  impl_->when_processed(input, offset, {std::move(done), std::move(is_over)});
}

}  // namespace thalweg
