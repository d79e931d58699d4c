#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <thalweg/runtime/streams_config.h>
#include <thalweg/topology/processor.h>

// For tests of one processor, without a topology: what it asks for is what the test has set, and
// what it does is written down. A whole topology is tested with a TopologyTestDriver.
//
//     MockProcessorContext<std::string, std::int64_t> context;
//     context.add_state_store(key_value_store_builder<std::string, std::int64_t>("counts"));
//     Counter counter;
//     counter.init(context);
//     context.process(counter, std::string("k"), std::string("v"), from_millis(7));
//     EXPECT_EQ(context.forwarded().at(0).value, 1);

namespace thalweg {

/// What a processor has forwarded.
template <typename K, typename V>
struct CapturedForward {
  K key;
  V value;
  Timestamp timestamp;
  Headers headers;
  std::string child;  ///< Empty: to all.
};

/// What a processor has scheduled. It fires when the test calls it.
struct CapturedPunctuator {
  std::chrono::milliseconds interval;
  PunctuationType type;
  Punctuator punctuator;
  std::shared_ptr<bool> is_cancelled;

  bool cancelled() const { return *is_cancelled; }
};

/// The task around a processor under test.
class MockTaskContext final : public TaskContext {
 public:
  MockTaskContext(StreamsConfig config, TaskId task);

  std::string_view application_id() const override { return config_.application_id; }
  TaskId task_id() const override { return task_; }
  const std::map<std::string, std::string>& app_configs() const override { return app_configs_; }
  std::string state_dir() const override;
  /// Throws StreamsError if the test has added none of that name.
  StateStore& store(std::string_view name) override;
  /// Throws StreamsError: a processor forwards, a sink sends.
  RecordCollector& collector() override;
  std::string topic_name(std::string_view name, bool internal) const override;
  Timestamp stream_time() const override { return stream_time_; }
  Timestamp wall_clock_time() const override { return wall_clock_time_; }
  const RecordMetadata& metadata() const override { return metadata_; }
  Cancellable schedule(std::chrono::milliseconds interval, PunctuationType type,
                       std::string_view node, Punctuator punctuator) override;
  void request_commit() override { committed_ = true; }
  void dropped(std::string_view node, std::string_view reason) override;
  std::optional<std::int64_t> processor_metadata(std::string_view key) const override;
  void set_processor_metadata(std::string_view key, std::int64_t value) override;
  void count(std::string_view metric, std::string_view node) override;

  // --- What a test sets and sees ------------------------------------------------------------

  /// Opens a store in memory, without a changelog and a cache. Throws StreamsError if it cannot.
  void add_state_store(const std::shared_ptr<StoreBuilder>& builder);
  void set_record_metadata(std::string topic, std::int32_t partition, Offset offset);
  void set_stream_time(Timestamp time) { stream_time_ = time; }
  void set_wall_clock_time(Timestamp time) { wall_clock_time_ = time; }
  const std::vector<CapturedPunctuator>& scheduled_punctuators() const { return punctuators_; }
  bool committed() const { return committed_; }
  void reset_commit() { committed_ = false; }
  /// Why the processor has dropped records.
  const std::vector<std::string>& drops() const { return drops_; }
  /// How often the processor has counted `metric`.
  std::uint64_t counted(const std::string& metric) const;

  // --- The record or punctuation at hand ----------------------------------------------------

  struct Current {
    Timestamp timestamp = kNoTimestamp;
    Headers headers = {};
  };
  const Current& current() const { return current_; }
  /// Sets it while it lives.
  class Scope {
   public:
    Scope(MockTaskContext& task, Current current)
        : task_(task), before_(std::exchange(task.current_, std::move(current))) {}
    ~Scope() { task_.current_ = std::move(before_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    Headers& headers() { return task_.current_.headers; }

   private:
    MockTaskContext& task_;
    Current before_;
  };

 private:
  StreamsConfig config_;
  TaskId task_;
  std::map<std::string, std::string> app_configs_;
  std::map<std::string, std::unique_ptr<StateStore>, std::less<>> stores_;
  std::vector<CapturedPunctuator> punctuators_;
  std::map<std::string, std::int64_t, std::less<>> processor_metadata_;
  std::map<std::string, std::uint64_t, std::less<>> counts_;
  std::vector<std::string> drops_;
  std::string topic_;
  RecordMetadata metadata_;
  Timestamp stream_time_ = kNoTimestamp;
  Timestamp wall_clock_time_ = from_millis(0);
  Current current_;
  bool committed_ = false;
};

namespace internal {

/// A mocked context, but for what it forwards.
template <typename Interface, typename K, typename V>
class MockContext : public Interface {
 public:
  explicit MockContext(StreamsConfig config = {}, TaskId task = {0, 0})
      : task_(std::move(config), task) {}

  Cancellable schedule(std::chrono::milliseconds interval, PunctuationType type,
                       Punctuator punctuator) override {
    return task_.schedule(interval, type, name(), std::move(punctuator));
  }
  std::string_view name() const override { return "mock-processor"; }
  MockTaskContext& task() override { return task_; }

  void add_state_store(const std::shared_ptr<StoreBuilder>& builder) {
    task_.add_state_store(builder);
  }
  const std::vector<CapturedPunctuator>& scheduled_punctuators() const {
    return task_.scheduled_punctuators();
  }

  const std::vector<CapturedForward<K, V>>& forwarded() const { return forwarded_; }
  /// What went to that child, alone or with all others.
  std::vector<CapturedForward<K, V>> forwarded(std::string_view child) const {
    std::vector<CapturedForward<K, V>> to_child;
    for (const auto& forward : forwarded_) {
      if (forward.child.empty() || forward.child == child) to_child.push_back(forward);
    }
    return to_child;
  }
  void reset_forwards() { forwarded_.clear(); }

 protected:
  StateStore& store(std::string_view name) override { return task_.store(name); }

  MockTaskContext task_;
  std::vector<CapturedForward<K, V>> forwarded_;
};

}  // namespace internal

/// Stands for the context of a Processor.
template <typename KOut, typename VOut>
class MockProcessorContext final
    : public internal::MockContext<ProcessorContext<KOut, VOut>, KOut, VOut> {
 public:
  using Base = internal::MockContext<ProcessorContext<KOut, VOut>, KOut, VOut>;
  using Base::Base;

  void forward(const KOut& key, const VOut& value, Timestamp timestamp, const Headers& headers,
               std::string_view child = {}) override {
    this->forwarded_.push_back({key, value, timestamp, headers, std::string(child)});
  }
  void forward(const KOut& key, const VOut& value, std::string_view child = {}) override {
    const auto& current = this->task_.current();
    forward(key, value, current.timestamp, current.headers, child);
  }

  /// Hands `processor` a record.
  template <typename P>
  void process(P& processor, const std::type_identity_t<typename P::InputKey>& key,
               const std::type_identity_t<typename P::InputValue>& value, Timestamp timestamp,
               Headers headers = {}) {
    MockTaskContext::Scope scope(this->task_, {timestamp, std::move(headers)});
    processor.process({key, value, timestamp, scope.headers()});
  }
};

/// Stands for the context of a FixedKeyProcessor: what is forwarded has the key of the record.
template <typename K, typename VOut>
class MockFixedKeyProcessorContext final
    : public internal::MockContext<FixedKeyProcessorContext<K, VOut>, K, VOut> {
 public:
  using Base = internal::MockContext<FixedKeyProcessorContext<K, VOut>, K, VOut>;
  using Base::Base;

  void forward(const VOut& value, Timestamp timestamp, const Headers& headers) override {
    if (!key_) throw StreamsError("a punctuation has no key to forward with");
    this->forwarded_.push_back({*key_, value, timestamp, headers, ""});
  }
  void forward(const VOut& value) override {
    const auto& current = this->task_.current();
    forward(value, current.timestamp, current.headers);
  }

  /// Hands `processor` a record.
  template <typename P>
  void process(P& processor, const K& key,
               const std::type_identity_t<typename P::InputValue>& value, Timestamp timestamp,
               Headers headers = {}) {
    MockTaskContext::Scope scope(this->task_, {timestamp, std::move(headers)});
    key_ = &key;
    processor.process({key, value, timestamp, scope.headers()});
    key_ = nullptr;
  }

 private:
  const K* key_ = nullptr;
};

}  // namespace thalweg
