#include "peer/reads.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "peer/shuffle_rules.h"

namespace thalweg::bench {
namespace {

constexpr std::size_t kTenths = 100'000;
constexpr std::uint64_t kKeys = 100'000;

struct Reads {
  std::vector<std::uint64_t> by_tenths = std::vector<std::uint64_t>(kTenths);
  std::uint64_t count = 0;
  std::uint64_t found = 0;

  void add(const Reads& other) {
    for (std::size_t i = 0; i < kTenths; ++i) by_tenths[i] += other.by_tenths[i];
    count += other.count;
    found += other.found;
  }
  double microseconds(double share) const {
    std::uint64_t passed = 0;
    for (std::size_t i = 0; i < kTenths; ++i) {
      passed += by_tenths[i];
      if (static_cast<double>(passed) >= share * static_cast<double>(count)) {
        return static_cast<double>(i) / 10;
      }
    }
    return -1;
  }
};

Reads read_for(const ReadOnlyKeyValueStore<std::string, std::int64_t>& store, double seconds,
               std::uint64_t seed, const std::stop_token& stop) {
  using Clock = std::chrono::steady_clock;
  Reads reads;
  std::uint64_t random = mix(seed);
  auto last = Clock::now();
  const auto end = last + std::chrono::duration<double>(seconds);
  while (last < end && !stop.stop_requested()) {
    random = mix(random);
    const auto row = store.get(fmt::format("k{:07}", (random >> 20) % kKeys));
    if (!row) throw std::runtime_error(row.error().message);
    reads.found += row->has_value() ? 1 : 0;
    ++reads.count;
    const auto now = Clock::now();
    const auto tenths = std::chrono::duration_cast<std::chrono::nanoseconds>(now - last) / 100;
    ++reads.by_tenths[std::min<std::size_t>(kTenths - 1, static_cast<std::size_t>(tenths.count()))];
    last = now;
  }
  return reads;
}

}  // namespace

ReadsSeen measure_reads(const StreamsApplication& application, int threads, double seconds,
                        const std::string& tag, const std::stop_token& stop) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::future<Reads>> readers;
  for (int i = 0; i < threads; ++i) {
    auto store = application.store<std::string, std::int64_t>("counts");
    if (!store) throw std::runtime_error(store.error().message);
    readers.push_back(std::async(std::launch::async, [=, &stop, mine = *std::move(store)] {
      return read_for(mine, seconds, static_cast<std::uint64_t>(i), stop);
    }));
  }
  Reads all;
  for (auto& reader : readers) all.add(reader.get());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const double hit_rate =
      static_cast<double>(all.found) / static_cast<double>(std::max<std::uint64_t>(1, all.count));
  return {
      .members = fmt::format(",\"{0}_gets\":{1:.1f},\"{0}_hit\":{2:.4f},\"{0}_p50_us\":{3:.1f},"
                             "\"{0}_p99_us\":{4:.1f},\"{0}_p999_us\":{5:.1f}",
                             tag, static_cast<double>(all.count) / took.count(), hit_rate,
                             all.microseconds(.5), all.microseconds(.99), all.microseconds(.999)),
      .hit_rate = hit_rate,
      .seconds = took.count()};
}

}  // namespace thalweg::bench
