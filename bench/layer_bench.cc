// What a record costs in each layer above stores and logs: its bytes made and read, a call from
// operator to operator, the queue of a task. Beside them what the machine itself takes for the
// least that such a layer has to do. Times are per record. (Stores: state_bench. The log:
// log_bench.)

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/unordered/unordered_flat_map.hpp>

#include <thalweg/topology/kgrouped_stream.h>
#include <thalweg/topology/kstream.h>
#include <thalweg/topology/ktable.h>
#include <thalweg/topology/streams_builder.h>

#include "model.h"
#include "record_queue.h"

namespace thalweg {
namespace {

constexpr std::size_t kKeys = 100'000;
constexpr std::size_t kValueBytes = 100;

std::string key_of(std::size_t number) {
  std::string key = "k" + std::to_string(1'000'000 + number);
  return key;
}

// --- What the machine takes -----------------------------------------------------------------

void copy_of_a_value(benchmark::State& state) {
  const std::string from(kValueBytes, 'x');
  std::string to(kValueBytes, 0);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), kValueBytes);
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(copy_of_a_value);

/// One lookup among as many keys as a store of the benchmarks has, in no order.
void lookup_in_a_hash_table(benchmark::State& state) {
  boost::unordered_flat_map<std::string, std::int64_t> table;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < kKeys; ++i) table[keys.emplace_back(key_of(i))] = 1;
  std::size_t at = 0;
  for (auto _ : state) {
    at = (at + 7'919) % kKeys;
    benchmark::DoNotOptimize(++table.find(keys[at])->second);
  }
}
BENCHMARK(lookup_in_a_hash_table);

// --- Bytes ----------------------------------------------------------------------------------

template <typename T>
void write_bytes(benchmark::State& state, const T& value) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    Serde<T>::serialize(value, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetLabel(std::to_string(out.size()) + " bytes");
}
template <typename T>
void read_bytes(benchmark::State& state, const T& value) {
  std::string bytes;
  Serde<T>::serialize(value, bytes);
  T out{};
  for (auto _ : state) {
    Serde<T>::deserialize(bytes, out);
    benchmark::DoNotOptimize(out);
  }
  state.SetLabel(std::to_string(bytes.size()) + " bytes");
}

const shop::OrderEvent kOrderEvent{
    .type = shop::EventType::INVENTORY_DEDUCTED,
    .order_id = "8c5f2f7a-9d0e-4a55-bb0c-1f3f6f0f9f11",
    .user_id = "user-12345",
    .at = 1'795'000'000'000,
    .items = {{.product_id = "lamp", .quantity = 2, .price = 4'900, .name = "Storm lantern"}},
    .total_amount = 9'800,
    .final_amount = 9'800};
BENCHMARK_CAPTURE(write_bytes, an_int64, std::int64_t{42});
BENCHMARK_CAPTURE(read_bytes, an_int64, std::int64_t{42});
BENCHMARK_CAPTURE(write_bytes, a_string, std::string(kValueBytes, 'x'));
BENCHMARK_CAPTURE(read_bytes, a_string, std::string(kValueBytes, 'x'));
BENCHMARK_CAPTURE(write_bytes, a_flatbuffers_table, kOrderEvent);
BENCHMARK_CAPTURE(read_bytes, a_flatbuffers_table, kOrderEvent);

// --- Operators ------------------------------------------------------------------------------

/// Runs a topology without a log: records come from here, and what is sent is forgotten.
class Task final : public TaskContext, public RecordCollector {
 public:
  explicit Task(Topology topology) : topology_(std::move(topology)) {
    for (const SubTopology& part : topology_.subtopologies()) {
      for (const std::string& name : part.stores) open(topology_.store_builder(name).build());
    }
    graph_ = topology_.instantiate(-1, *this);
    input_ = graph_.sources.at(0).node->open_input(*this);
    for (const auto& node : graph_.nodes) node->init(*this);
  }
  ~Task() override {
    for (const auto& node : graph_.nodes) node->close();
  }

  void process(const RecordView& record) {
    if (!input_->prepare(record, metadata_, time_)) return;
    time_ = std::max(time_, input_->timestamp());
    input_->process();
  }
  /// The queue in front of another input of the same source.
  std::unique_ptr<internal::RecordQueue> queue() {
    return std::make_unique<internal::RecordQueue>(
        TopicPartition{"in", 0}, *graph_.sources.at(0).node, *this, 0, time_,
        [](const RecordView&, const RecordMetadata&, const SerdeError& error) { throw error; });
  }
  void commit() {
    for (const auto& store : stores_) store->flush();
    for (const auto& store : stores_) store->commit(kNoOffset, ++commits_);
  }

  std::string_view application_id() const override { return "bench"; }
  TaskId task_id() const override { return {0, 0}; }
  StateStore& store(std::string_view) override { return *stores_.at(0); }
  RecordCollector& collector() override { return *this; }
  std::string topic_name(std::string_view name, bool) const override { return std::string(name); }
  Timestamp stream_time() const override { return time_; }
  Timestamp wall_clock_time() const override { return time_; }
  const RecordMetadata& metadata() const override { return metadata_; }
  Cancellable schedule(std::chrono::milliseconds, PunctuationType, std::string_view,
                       Punctuator) override {
    return {};
  }
  void request_commit() override {}
  void dropped(std::string_view, std::string_view) override {}
  TopicHandle topic(std::string_view) override { return {}; }
  std::int32_t partitions(TopicHandle) override { return 4; }
  void send(TopicHandle, std::int32_t, std::optional<BytesView> key, std::optional<BytesView> value,
            Timestamp, const Headers&) override {
    benchmark::DoNotOptimize(key->data());
    benchmark::DoNotOptimize(value->data());
  }

 private:
  void open(std::unique_ptr<StateStore> store) {
    StoreContext context;
    context.caching = true;
    context.budget = &budget_;
    context.record = &metadata_;
    if (auto opened = store->open(context); !opened) {
      throw std::runtime_error(opened.error().message);
    }
    stores_.push_back(std::move(store));
  }

  Topology topology_;
  MemoryBudget budget_{256u << 20};
  std::vector<std::unique_ptr<StateStore>> stores_;
  internal::ProcessorGraph graph_;
  std::unique_ptr<internal::SourceInput> input_;
  RecordMetadata metadata_{.topic = "in", .partition = 0, .offset = 0};
  Timestamp time_ = from_millis(0);
  CommitSequence commits_ = 0;
};

using Text = std::string;

/// From a record's bytes to those that are sent, or kept; a thousand records a second of event
/// time, and a commit for every 50,000.
void run(benchmark::State& state, Topology topology, std::size_t key_count = kKeys) {
  constexpr std::size_t kPerCommit = 50'000;
  Task task(std::move(topology));
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < key_count; ++i) keys.push_back(key_of(i));
  const std::string value(kValueBytes, 'x');
  std::size_t at = 0;
  std::size_t since_commit = 0;
  std::int64_t now = 1'795'000'000'000;
  for (auto _ : state) {
    at = (at + 7'919) % keys.size();
    task.process({.offset = 0, .timestamp = from_millis(++now), .key = keys[at], .value = value});
    if (++since_commit == kPerCommit) task.commit(), since_commit = 0;
  }
}

void source_to_sink(benchmark::State& state) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in").to("out");
  run(state, builder.build());
}
BENCHMARK(source_to_sink);

/// The difference to source_to_sink is what the queue of an input costs.
void through_the_queue(benchmark::State& state) {
  constexpr std::size_t kBatch = 1'000;
  StreamsBuilder builder;
  builder.stream<Text, Text>("in").to("out");
  Task task(builder.build());
  const auto queue = task.queue();
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < kBatch; ++i) keys.push_back(key_of(i));
  const std::string value(kValueBytes, 'x');
  Offset offset = 0;
  while (state.KeepRunningBatch(kBatch)) {
    RecordBatch batch;
    for (const std::string& key : keys) {
      batch.records.push_back(
          {.offset = offset++, .timestamp = from_millis(1'000), .key = key, .value = value});
    }
    batch.next = offset;
    queue->add(std::move(batch));
    for (; !queue->empty(); queue->pop()) queue->process_head();
  }
}
BENCHMARK(through_the_queue);

/// The difference to source_to_sink, divided by their number, is what one more operator costs.
void ten_filters_between(benchmark::State& state) {
  StreamsBuilder builder;
  auto stream = builder.stream<Text, Text>("in");
  for (int i = 0; i < 10; ++i) {
    stream = stream.filter([](const Text&, const Text& value) { return !value.empty(); });
  }
  stream.to("out");
  run(state, builder.build());
}
BENCHMARK(ten_filters_between);

void count_by_key(benchmark::State& state) {
  StreamsBuilder builder;
  builder.stream<Text, Text>("in").group_by_key().count({.store = "counts"}).to_stream().to("out");
  run(state, builder.build());
}
BENCHMARK(count_by_key);

void count_in_sixty_windows(benchmark::State& state) {
  using namespace std::chrono_literals;
  StreamsBuilder builder;
  builder.stream<Text, Text>("in")
      .group_by_key()
      .windowed_by(TimeWindows::of_size_with_no_grace(10min).advance_by(10s))
      .count({.store = "counts"})
      .to_stream()
      .to("out");
  run(state, builder.build(), 1'000);
}
BENCHMARK(count_in_sixty_windows);

}  // namespace
}  // namespace thalweg

BENCHMARK_MAIN();
