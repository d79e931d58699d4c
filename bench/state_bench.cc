// What one record costs in a store: reads, writes, commits, spills, restores, journal appends.
// Times are per record. Run with --benchmark_filter to pick; disks live below the temporary
// directory.
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>

#include <benchmark/benchmark.h>

#include <thalweg/state/stores.h>

namespace thalweg {
namespace {

constexpr std::int64_t kKeys = 100'000;
constexpr std::int64_t kPerCommit = 10'000;

class Directory {
 public:
  Directory() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "thalweg-bench-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A changelog that takes the bytes and forgets them.
class Nowhere final : public ChangelogWriter {
 public:
  void append(BytesView key, std::optional<BytesView> value, Timestamp, const Headers&) override {
    benchmark::DoNotOptimize(key.data());
    benchmark::DoNotOptimize(value ? value->data() : nullptr);
  }
};

template <typename K, typename V>
struct Bench {
  explicit Bench(bool caching, bool disk, bool old_values = false) {
    if (disk) storage = *open_rocksdb_storage(directory.path());
    const auto builder = key_value_store_builder<K, V>("bench", {.caching = true});
    store = builder->build();
    typed = dynamic_cast<KeyValueStore<K, V>*>(store.get());
    StoreContext context;
    context.storage = storage.get();
    context.family = "bench/0_0/bench";
    context.changelog = &changelog;
    context.budget = &budget;
    context.caching = caching;
    if (auto status = store->open(context); !status)
      throw std::runtime_error(status.error().message);
    if (old_values) {
      typed->set_listener([](const K&, const V* value, const V*, Timestamp,
                             const Headers&) { benchmark::DoNotOptimize(value); },
                          true);
    }
  }
  void commit() {
    store->flush();
    offset += kPerCommit;
    store->commit(offset, ++commits);
  }
  void spill() {
    if (auto spill = store->start_spill(from_millis(1))) {
      if (auto status = spill->run(); !status) throw std::runtime_error(status.error().message);
    }
  }

  Directory directory;
  MemoryBudget budget{256u << 20};
  Nowhere changelog;
  std::unique_ptr<Storage> storage;
  std::unique_ptr<StateStore> store;
  KeyValueStore<K, V>* typed = nullptr;
  Offset offset = 0;
  CommitSequence commits = 0;
};

/// A thousand keys in windows of ten minutes, one every ten seconds: per record sixty reads and
/// writes, most of them of windows that were written since the last commit.
void BM_Store_hop(benchmark::State& state) {
  constexpr int kWindows = 60;
  constexpr int kHopKeys = 1'000;
  constexpr auto kHop = std::chrono::seconds(10);
  const auto builder = window_store_builder<std::string, std::int64_t>(
      "bench", {.retention = kWindows * kHop, .window_size = kWindows * kHop}, {.caching = true});
  const auto store = builder->build();
  auto* windows = dynamic_cast<WindowStore<std::string, std::int64_t>*>(store.get());
  Nowhere changelog;
  MemoryBudget budget{256u << 20};
  StoreContext context;
  context.family = "bench/0_0/bench";
  context.changelog = &changelog;
  context.budget = &budget;
  context.caching = true;
  if (auto status = store->open(context); !status) {
    throw std::runtime_error(status.error().message);
  }
  std::vector<std::string> keys;
  for (int i = 0; i < kHopKeys; ++i) keys.push_back("page-" + std::to_string(i));
  std::mt19937 random(7);
  std::int64_t at = 0;
  CommitSequence commits = 0;
  for (auto _ : state) {
    const auto& key = keys[random() % kHopKeys];
    const Timestamp newest = from_millis(at / kPerCommit * 10'000 + 1'000'000'000);
    for (int window = 0; window < kWindows; ++window) {
      const Timestamp start = newest - window * kHop;
      const std::int64_t* count = windows->fetch(key, start);
      windows->put(key, (count ? *count : 0) + 1, start, newest, kNoHeaders);
    }
    if (++at % kPerCommit != 0) continue;
    store->flush();
    store->commit(at, ++commits);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Store_hop);

/// The keys of a stream that touches `kKeys` of them at random.
template <typename K>
std::vector<K> random_keys() {
  std::mt19937 random(7);
  std::vector<K> keys;
  for (int i = 0; i < (1 << 18); ++i) {
    const auto number = static_cast<std::int64_t>(random() % kKeys);
    if constexpr (std::is_same_v<K, std::string>) {
      keys.push_back("customer-" + std::to_string(1'000'000 + number));
    } else {
      keys.push_back(number);
    }
  }
  return keys;
}

/// Read, add one, write: what an aggregation does per record, with a commit each 10,000.
template <typename K>
void BM_Store_count(benchmark::State& state) {
  Bench<K, std::int64_t> bench(state.range(0) == 1, false, true);
  const auto keys = random_keys<K>();
  std::size_t at = 0;
  for (auto _ : state) {
    const K& key = keys[at++ % keys.size()];
    const std::int64_t* count = bench.typed->get(key);
    bench.typed->put(key, (count ? *count : 0) + 1, from_millis(1), kNoHeaders);
    if (at % kPerCommit == 0) bench.commit();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Store_count<std::int64_t>)->ArgName("cached")->Arg(0)->Arg(1);
BENCHMARK(BM_Store_count<std::string>)->ArgName("cached")->Arg(0)->Arg(1);

/// What one side of a join of streams does: keeps a record, and looks for what came with its key
/// ten seconds before and after.
void BM_Store_join(benchmark::State& state) {
  constexpr auto kWithin = std::chrono::seconds(10);
  constexpr std::int64_t kPerMilli = 5;
  const auto builder = window_store_builder<std::string, std::string>(
      "bench", {.retention = 3 * kWithin, .window_size = 2 * kWithin, .retain_duplicates = true},
      {.caching = true});
  const auto store = builder->build();
  auto* windows = dynamic_cast<WindowStore<std::string, std::string>*>(store.get());
  Nowhere changelog;
  StoreContext context;
  context.family = "bench/0_0/bench";
  context.changelog = &changelog;
  if (auto status = store->open(context); !status) {
    throw std::runtime_error(status.error().message);
  }
  const auto keys = random_keys<std::string>();
  const std::string value(100, 'v');
  std::int64_t at = 0;
  CommitSequence commits = 0;
  for (auto _ : state) {
    const auto& key = keys[static_cast<std::size_t>(at) % keys.size()];
    const Timestamp time = from_millis(1'000'000'000 + at / kPerMilli);
    windows->put(key, value, time, time, kNoHeaders);
    for (auto found = windows->fetch(key, time - kWithin, time + kWithin); found->valid();
         found->next()) {
      benchmark::DoNotOptimize(found->value().value.data());
    }
    if (++at % kPerCommit != 0) continue;
    store->flush();
    store->commit(at, ++commits);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Store_join);

void BM_Store_get_clean(benchmark::State& state) {
  Bench<std::string, std::int64_t> bench(true, false);
  const auto keys = random_keys<std::string>();
  for (const auto& key : keys) bench.typed->put(key, 1, from_millis(1), kNoHeaders);
  bench.commit();
  std::size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(bench.typed->get(keys[at++ % keys.size()]));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Store_get_clean);

void BM_Store_get_from_disk(benchmark::State& state) {
  Bench<std::string, std::int64_t> bench(true, true);
  bench.budget.add_cached(1 << 30);  // So that nothing is kept in memory.
  const auto keys = random_keys<std::string>();
  for (const auto& key : keys) bench.typed->put(key, 1, from_millis(1), kNoHeaders);
  bench.commit();
  bench.commit();
  bench.spill();
  std::size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(bench.typed->get(keys[at++ % keys.size()]));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Store_get_from_disk);

/// 80 bytes a record, no key twice.
struct Records {
  explicit Records(std::size_t count) {
    std::mt19937_64 random(7);
    for (std::size_t i = 0; i < count; ++i) {
      keys.push_back(std::to_string(random() % 1'000'000'000'000));
      keys.back().resize(16, 'k');
    }
    for (std::size_t i = 0; i < count; ++i) {
      views.push_back(
          {static_cast<Offset>(i), from_millis(1), BytesView(keys[i]), BytesView(value), {}});
    }
  }
  std::string value = std::string(64, 'v');
  std::vector<std::string> keys;
  std::vector<RecordView> views;
};

void BM_Store_restore(benchmark::State& state) {
  const Records records(500'000);
  for (auto _ : state) {
    state.PauseTiming();
    auto bench = std::make_unique<Bench<std::string, std::string>>(true, false);
    state.ResumeTiming();
    constexpr std::size_t kBatch = 1000;
    for (std::size_t at = 0; at < records.views.size(); at += kBatch) {
      bench->store->restore(std::span(records.views).subspan(at, kBatch),
                            static_cast<Offset>(at + kBatch), 1);
    }
    state.PauseTiming();
    bench.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(records.views.size()));
}
BENCHMARK(BM_Store_restore)->Unit(benchmark::kMillisecond);

void BM_Store_spill(benchmark::State& state) {
  const Records records(500'000);
  for (auto _ : state) {
    state.PauseTiming();
    auto bench = std::make_unique<Bench<std::string, std::string>>(true, true);
    bench->store->restore(records.views, 500'000, 1);
    state.ResumeTiming();
    bench->spill();
    state.PauseTiming();
    bench.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(records.views.size()));
}
BENCHMARK(BM_Store_spill)->Unit(benchmark::kMillisecond);

/// One transaction's batch of 4 KiB values, synced every so many.
void BM_Journal_append(benchmark::State& state) {
  const Directory directory;
  auto storage = *open_rocksdb_storage(directory.path());
  const std::string value(4096, 'v');
  std::int64_t at = 0;
  for (auto _ : state) {
    WriteBatch batch;
    batch.put("t/orders/" + std::to_string(1'000'000'000 + at), value);
    batch.put("o/group/orders", std::to_string(at));
    if (!storage->journal().append(batch)) state.SkipWithError("append");
    if (++at % state.range(0) == 0 && !storage->journal().sync()) state.SkipWithError("sync");
  }
  state.SetBytesProcessed(state.iterations() * 4096);
}
BENCHMARK(BM_Journal_append)->ArgName("per_sync")->Arg(1)->Arg(100);

}  // namespace
}  // namespace thalweg

BENCHMARK_MAIN();
