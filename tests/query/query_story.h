#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <thalweg/runtime/embedded_log.h>
#include <thalweg/schemas/partitioning.h>
#include <thalweg/schemas/serde.h>
#include <thalweg/state/internal/stored_window.h>
#include <thalweg/state/simulated_storage.h>

#include "query/http_story.h"
#include "position_waiters.h"
#include "query/query_context.h"

namespace thalweg::testing {

/// Rows in memory, all of one commit.
class MapView final : public StoreView {
 public:
  Result<std::optional<StoredEntry>> get(BytesView key) const override {
    const auto found = rows.find(std::string(key));
    if (found == rows.end()) return std::optional<StoredEntry>{};
    return std::optional<StoredEntry>({found->first, found->second, from_millis(1'000)});
  }
  Result<std::vector<StoredEntry>> scan(const Scan& scan) const override {
    std::vector<StoredEntry> entries;
    for (const auto& [key, value] : rows) {
      if ((scan.from && key < *scan.from) || (scan.to && key >= *scan.to)) continue;
      entries.push_back({key, value, from_millis(1'000)});
    }
    if (scan.reverse) std::reverse(entries.begin(), entries.end());
    if (entries.size() > scan.limit) entries.resize(scan.limit);
    return entries;
  }
  std::uint64_t approximate_entries() const override { return rows.size(); }
  CommitSequence last_commit() const override { return commit; }
  Timestamp first_readable() const override { return readable_from; }

  std::map<std::string, std::string> rows;
  CommitSequence commit = 0;
  Timestamp readable_from = kNoTimestamp;
};

/// An application that says what the test wants it to say.
class FakeSource final : public internal::QuerySource {
 public:
  explicit FakeSource(std::string id) : id_(std::move(id)) {}

  /// A key-value store over `partitions` tasks, empty.
  template <typename K, typename V>
  void add_store(const std::string& name, int partitions) {
    StoreInfo info{
        name, StateStore::Kind::kKeyValue, Serde<K>::schema(), Serde<V>::schema(), partitions, {},
        0};
    auto& views = views_[name];
    for (int i = 0; i < partitions; ++i) views.push_back(std::make_shared<MapView>());
    infos_.push_back(std::move(info));
  }
  /// The keys of the store that was added last are windowed.
  void name_windows_in(std::size_t bytes) { infos_.back().key_schema = windowed_key_schema(bytes); }
  template <typename K, typename V>
  void put(const std::string& store, const K& key, const V& value) {
    std::string key_bytes;
    Serde<K>::serialize(key, key_bytes);
    put_into(store, partition_of(key_bytes, static_cast<std::int32_t>(views_[store].size())), key,
             value);
  }
  /// Puts a row into that partition, whatever its key says: as where each task counts its own.
  template <typename K, typename V>
  void put_into(const std::string& store, std::int32_t partition, const K& key, const V& value) {
    std::string key_bytes, value_bytes;
    Serde<K>::serialize(key, key_bytes);
    Serde<V>::serialize(value, value_bytes);
    views_[store][static_cast<std::size_t>(partition)]->rows[key_bytes] = value_bytes;
  }
  /// A store of windows or sessions over `partitions` tasks, empty.
  template <typename K, typename V>
  void add_windows(const std::string& name, StateStore::Kind kind, int partitions) {
    add_store<K, V>(name, partitions);
    infos_.back().kind = kind;
  }
  /// Puts a row where such a store with segments of a minute has it.
  template <typename K, typename V>
  void put_window(const std::string& store, const K& key, const Window& window, const V& value) {
    std::string key_bytes;
    Serde<K>::serialize(key, key_bytes);
    put_window_into(store, partition_of(key_bytes, static_cast<std::int32_t>(views_[store].size())),
                    key, window, value);
  }
  template <typename K, typename V>
  void put_window_into(const std::string& store, std::int32_t partition, const K& key,
                       const Window& window, const V& value) {
    const bool sessions = infos_.back().kind == StateStore::Kind::kSession;
    internal::Segments segments{
        .keys = sessions ? internal::Segments::Keys::kSession : internal::Segments::Keys::kWindow,
        .retention = 3'600'000,
        .interval = 60'000};
    std::string stored, value_bytes;
    internal::StoredWindowSerde<K>(AnySerde<K>(), segments, 60'000)
        .serialize({{key, window}, 0}, stored);
    Serde<V>::serialize(value, value_bytes);
    views_[store][static_cast<std::size_t>(partition)]->rows[stored] = value_bytes;
  }
  void show_commit(const std::string& store, CommitSequence commit) {
    for (auto& view : views_[store]) view->commit = commit;
  }
  void show_commit(const std::string& store, std::size_t partition, CommitSequence commit) {
    views_[store][partition]->commit = commit;
  }
  /// Windows from before that time have expired.
  void expire(const std::string& store, Timestamp before) {
    for (auto& view : views_[store]) view->readable_from = before;
  }
  void lose(const std::string& store, std::size_t partition) { views_[store][partition] = nullptr; }
  void restore_under_way(const std::string& store, Offset position, Offset end) {
    TaskInfo task;
    task.id = {0, 1};
    task.state = TaskInfo::State::kRestoring;
    task.restores.push_back({store, 0, position, end});
    tasks_ = {task};
  }
  /// A task that reads the input, with so much of it committed.
  void read_from(const TopicPartition& input, Offset position) {
    TaskInfo task;
    task.state = TaskInfo::State::kRunning;
    task.positions[input] = position;
    tasks_.push_back(task);
  }
  /// This process has a name for the others, and waits for tasks that may come to it.
  void answer_as(std::string host) { host_ = std::move(host); }
  /// Another process has that partition from now on.
  void move_to(const std::string& store, std::int32_t partition, const std::string& host) {
    const std::lock_guard lock(mutex_);
    owners_[{store, partition}] = host;
  }
  /// Waits until somebody has looked so often for who has a partition that is not here.
  void wait_until_looked_for(int times) {
    std::unique_lock lock(mutex_);
    looked_.wait(lock, [&] { return looks_ >= times; });
  }
  void process_up_to(const TopicPartition& input, Offset offset) {
    std::vector<internal::PositionWaiters::Waiter> due;
    {
      const std::lock_guard lock(mutex_);
      processed_[input] = offset;
      due = waiters_.take_passed(input, offset + 1);
    }
    for (auto& waiter : due) waiter.done();
  }

  const std::string& application_id() const override { return id_; }
  StreamsApplication::State state() const override { return current; }
  std::optional<std::string> failure() const override { return why; }
  TopologyDescription topology() const override { return description; }
  std::map<std::string, Topology::TopicSchemas> topic_schemas() const override { return schemas; }
  std::vector<TaskInfo> tasks() const override { return tasks_; }
  std::vector<StoreInfo> stores() const override { return infos_; }
  Result<std::vector<std::shared_ptr<const StoreView>>> views(
      std::string_view store) const override {
    const auto found = views_.find(std::string(store));
    if (found == views_.end()) return thalweg::failure(ErrorCode::kNotFound, "no such store");
    return std::vector<std::shared_ptr<const StoreView>>(found->second.begin(),
                                                         found->second.end());
  }
  std::optional<std::string> changelog(std::string_view store) const override {
    if (unlogged.contains(store)) return std::nullopt;
    return id_ + "-" + std::string(store) + "-changelog";
  }
  std::optional<std::string> active_host(std::string_view store,
                                         std::int32_t partition) const override {
    const std::lock_guard lock(mutex_);
    ++looks_;
    looked_.notify_all();
    const auto found = owners_.find({std::string(store), partition});
    return found == owners_.end() ? std::nullopt : std::optional(found->second);
  }
  std::string host() const override { return host_; }
  bool reads(const TopicPartition& input) const override {
    if (inputs.empty()) return true;
    const auto found = inputs.find(input.topic);
    return found != inputs.end() && input.partition < found->second;
  }
  void when_processed(const TopicPartition& input, Offset offset, std::function<void()> done,
                      std::function<bool()> is_over) override {
    std::vector<internal::PositionWaiters::Waiter> over;
    {
      const std::lock_guard lock(mutex_);
      const auto found = processed_.find(input);
      if (found == processed_.end() || found->second < offset) {
        over = waiters_.add(input, offset, {std::move(done), std::move(is_over)});
        return;
      }
    }
    done();
  }

  /// As an application does at its end: what it was to tell holds those who asked.
  void drop_waiters() {
    internal::PositionWaiters dropped;  // Goes without the lock.
    const std::lock_guard lock(mutex_);
    std::swap(dropped, waiters_);
  }
  /// How many wait for the input to pass records, and have not given up.
  std::ptrdiff_t waiting_for(const TopicPartition& input) {
    const std::lock_guard lock(mutex_);
    auto waiting = waiters_.take_all(input);
    const auto number = std::ranges::count_if(
        waiting, [](const auto& one) { return !one.second.has_stopped(); });
    waiters_.put_back(input, std::move(waiting));
    return number;
  }

  StreamsApplication::State current = StreamsApplication::State::kRunning;
  std::optional<std::string> why;
  TopologyDescription description;
  std::map<std::string, Topology::TopicSchemas> schemas;
  std::set<std::string, std::less<>> unlogged;  ///< Stores without a changelog.
  std::map<std::string, std::int32_t> inputs;   ///< With their partitions; empty: it reads any.

 private:
  std::string id_;
  std::vector<StoreInfo> infos_;
  std::map<std::string, std::vector<std::shared_ptr<MapView>>> views_;
  std::vector<TaskInfo> tasks_;
  std::string host_;
  mutable std::mutex mutex_;
  mutable std::condition_variable looked_;
  mutable int looks_ = 0;
  std::map<std::pair<std::string, std::int32_t>, std::string> owners_;
  internal::PositionWaiters waiters_;
  std::map<TopicPartition, Offset> processed_;
};

/// Query routes over applications that the test plays and a real log, asked over a real connection.
class QueryStory : public HttpStory {
 protected:
  QueryStory() : shop_(new FakeSource("shop")) { sources_.emplace_back(shop_); }
  ~QueryStory() override {
    if (server_) server_->stop(std::chrono::milliseconds(0));
    if (context_) context_->close();
  }

  FakeSource& second_application(const std::string& id) {
    sources_.push_back(std::make_unique<FakeSource>(id));
    return static_cast<FakeSource&>(*sources_.back());
  }
  /// `syncing`: commits become durable by themselves, else when the test says sync().
  void open_log(bool syncing) {
    auto log = EmbeddedLog::open(storage_, system_clock(), {.background_threads = syncing});
    ASSERT_TRUE(log) << log.error().message;
    log_ = *std::move(log);
  }
  void sync() {
    while (log_->step_sync()) {
    }
  }
  void add_topic(const std::string& name, std::int32_t partitions = 3) {
    ASSERT_TRUE(log_->create_topic({.name = name, .partitions = partitions}));
  }
  void start(QueryOptions options = {}) {
    if (!log_) open_log(true);
    server_ = std::make_unique<HttpServer>(patient());
    context_ = internal::add_query_routes(*server_, std::move(sources_), *log_, metrics_,
                                          *clock_, options);
    const auto started = server_->start();
    ASSERT_TRUE(started) << started.error().message;
  }

  /// Another service on the same log.
  void restart() {
    server_->stop(std::chrono::milliseconds(0));
    context_->close();
    start();
  }

  RawResponse get(const std::string& target, const std::string& headers = "") {
    return connect()->get(target, headers);
  }
  std::string body_of(const std::string& target) { return get(target).body; }
  RawResponse post(const std::string& topic, const std::string& body,
                   const std::string& content_type = "application/json") {
    return connect()->request("POST", "/v1/topics/" + topic + "/records", body,
                              "Content-Type: " + content_type + "\r\n");
  }

  RawResponse post_with_key(const std::string& topic, const std::string& body,
                            const std::string& key) {
    return connect()->request("POST", "/v1/topics/" + topic + "/records", body,
                              "Idempotency-Key: " + key + "\r\n");
  }

  SimulatedStorage storage_;
  std::unique_ptr<EmbeddedLog> log_;
  MetricsRegistry metrics_;
  /// For a test that moves time itself: set `clock_` to it before start().
  ManualClock manual_clock_;
  Clock* clock_ = &system_clock();
  FakeSource* shop_;
  std::vector<std::unique_ptr<internal::QuerySource>> sources_;
  internal::ContextPtr context_;
};

/// The member `name` of a JSON object, as it stands; empty when there is none.
std::string member(const std::string& object, const std::string& name);

}  // namespace thalweg::testing
