#include "peer/data_sets.h"

#include <stdexcept>

#include <fmt/format.h>

#include "peer/blob.h"
#include "peer/nexmark_data.h"
#include "peer/noise.h"
#include "peer/shuffle_rules.h"

namespace thalweg::bench {
namespace {

constexpr std::size_t kValueBytes = 100;
constexpr std::size_t kShuffleBytes = 1024;
constexpr std::uint64_t kKeys = 100'000;

std::uint64_t random_of(std::int64_t index, std::uint64_t salt) {
  return mix(static_cast<std::uint64_t>(index) * 2'654'435'761 + salt);
}

std::string key_of(std::uint64_t number) { return fmt::format("k{:07}", number); }

/// Amounts of one of `keys` keys; `time` says when.
DataSet amounts(std::uint64_t salt, std::uint64_t keys,
                std::int64_t (*time)(std::int64_t index, std::int64_t count)) {
  return [=](std::int64_t index, std::int64_t count, std::int64_t base_ms, DataRecord& record) {
    const std::uint64_t random = random_of(index, salt);
    record.key = key_of((random >> 20) % keys);
    record.value.resize(kValueBytes);
    write_i64(record.value, 0, static_cast<std::int64_t>(1 + (random & 1023)));
    write_i32(record.value, 8, static_cast<std::int32_t>((random >> 50) % 10'000));
    fill_noise(record.value, 12, random);
    record.timestamp_ms = base_ms + time(index, count);
  };
}

/// Each key once; `offset_ms` from the base.
DataSet rows(std::int64_t offset_ms) {
  return [=](std::int64_t index, std::int64_t, std::int64_t base_ms, DataRecord& record) {
    record.key = key_of(static_cast<std::uint64_t>(index));
    record.value.resize(kValueBytes);
    write_i64(record.value, 0, index);
    write_i32(record.value, 8, static_cast<std::int32_t>(index % 10'000));
    fill_noise(record.value, 12, random_of(index, 5));
    record.timestamp_ms = base_ms + offset_ms;
  };
}

void shuffle_record(std::int64_t index, std::int64_t, std::int64_t base_ms, DataRecord& record) {
  const std::uint64_t random = random_of(index, 5);
  record.key.reset();
  record.value.resize(kShuffleBytes);
  for (std::size_t word = 0; word < kShuffleBytes / 8; ++word) {
    write_i64(record.value, word * 8, static_cast<std::int64_t>(mix(random + word)));
  }
  record.timestamp_ms = base_ms + index / 10;
}

void fill_order(std::uint64_t id, std::uint64_t random, std::int64_t created_ns,
                std::string& order) {
  order.resize(kValueBytes);
  write_i64(order, 0, static_cast<std::int64_t>(id));
  write_i32(order, 8, static_cast<std::int32_t>(random % 10'000));
  write_i32(order, 12, static_cast<std::int32_t>((random >> 16) % 100'000));
  write_i32(order, 16, static_cast<std::int32_t>(1 + (random >> 40) % 3));
  write_i64(order, 20, static_cast<std::int64_t>(100 + (random >> 44) % 10'000));
  write_i64(order, 28, created_ns);
  order[36] = '\0';
  fill_noise(order, 37, id * 7);
}

void order_record(std::int64_t index, std::int64_t, std::int64_t base_ms, DataRecord& record) {
  const auto id = static_cast<std::uint64_t>(index);
  record.key.emplace(8, '\0');
  write_i64(*record.key, 0, index);
  record.timestamp_ms = base_ms + index / 10;
  // Not the clock: the same order is the same bytes wherever and whenever it is written.
  fill_order(id, random_of(index, 5), record.timestamp_ms * 1'000'000, record.value);
}

}  // namespace

DataSet data_set(const std::string& name) {
  constexpr std::int64_t kAllWindowsMs = 600'000;
  const auto spread = [](std::int64_t index, std::int64_t count) {
    return index * kAllWindowsMs / count;
  };
  const auto five_a_ms = [](std::int64_t index, std::int64_t) { return index / 5; };
  if (name == "kv") return amounts(1, kKeys, spread);
  if (name == "few") return amounts(1, 1'000, spread);
  if (name == "left") return amounts(5, kKeys, five_a_ms);
  if (name == "right") return amounts(77, kKeys, five_a_ms);
  if (name == "table") return rows(-3'600'000);
  if (name == "keys") return rows(0);
  if (name == "shuffle") return shuffle_record;
  if (name == "orders") return order_record;
  if (DataSet nexmark = nexmark_data_set(name)) return nexmark;
  throw std::invalid_argument("there is no data set " + name);
}

}  // namespace thalweg::bench
