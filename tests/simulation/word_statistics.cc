#include "simulation/word_statistics.h"

#include <gtest/gtest.h>

#include <thalweg/schemas/serde.h>
#include <thalweg/topology/kgrouped_stream.h>
#include <thalweg/topology/kstream.h>
#include <thalweg/topology/ktable.h>
#include <thalweg/topology/streams_builder.h>

namespace thalweg::simulation {

namespace {

std::string int64_bytes(std::int64_t value) {
  std::string bytes;
  Serde<std::int64_t>::serialize(value, bytes);
  return bytes;
}

std::int64_t int64_value(const std::string& bytes) {
  std::int64_t value = 0;
  Serde<std::int64_t>::deserialize(bytes, value);
  return value;
}

// What took the hop by letter came out of it once, and of each word in the order of the input.
void expect_the_order_of_words(Log& log, ManualClock& clock) {
  std::map<std::int64_t, std::string> words;
  std::map<std::string, std::vector<std::int64_t>> written;
  for (const auto& record : read_topic(log, clock, "words")) {
    words[int64_value(*record.value)] = *record.key;
    written[*record.key].push_back(int64_value(*record.value));
  }
  std::map<std::string, std::vector<std::int64_t>> seen;
  for (const auto& record : read_topic(log, clock, "letters-out")) {
    const std::int64_t id = int64_value(*record.value);
    seen[words.at(id)].push_back(id);
  }
  EXPECT_EQ(seen, written);
}

}  // namespace

Topology word_statistics() {
  StreamsBuilder builder;
  auto words = builder.stream<std::string, std::int64_t>("words");
  const auto by_letter = words
                             .select_key([](const std::string& word, const std::int64_t&) {
                               return word.substr(0, 1);
                             })
                             .repartition({.name = "letters"});
  by_letter.to("letters-out");
  by_letter.group_by_key()
      .count({.store = "counts", .caching = false})
      .to_stream()
      .to("counts-out");
  words.group_by_key()
      .reduce([](std::int64_t a, std::int64_t b) { return a + b; }, {.store = "sums"})
      .to_stream()
      .to("sums-out");
  return builder.build();
}

std::vector<std::pair<std::string, std::string>> WordSource::next() {
  static const std::vector<std::string> kWords{"ant", "ape", "bee", "boa", "cat", "cow", "dog"};
  std::vector<std::pair<std::string, std::string>> records;
  ids_.clear();
  for (std::uint64_t n = random_() % 6 + 1; n > 0; --n) {
    ids_.push_back(++last_id_);
    records.emplace_back(kWords[random_() % kWords.size()], int64_bytes(last_id_));
  }
  return records;
}

void expect_each_record_counted_once(Log& log, ManualClock& clock,
                                     const std::set<std::int64_t>& acknowledged) {
  std::map<std::string, std::int64_t> counts;
  std::map<std::string, std::int64_t> sums;
  std::set<std::int64_t> written;
  for (const auto& record : read_topic(log, clock, "words")) {
    const std::int64_t id = int64_value(*record.value);
    EXPECT_TRUE(written.insert(id).second) << "input " << id << " is there twice";
    ++counts[record.key->substr(0, 1)];
    sums[*record.key] += id;
  }
  for (const auto id : acknowledged) {
    EXPECT_TRUE(written.contains(id)) << "acknowledged input " << id << " is lost";
  }
  std::map<std::string, std::int64_t> seen;
  for (const auto& record : read_topic(log, clock, "counts-out")) {
    EXPECT_EQ(int64_value(*record.value), ++seen[*record.key]) << "count of " << *record.key;
  }
  EXPECT_EQ(seen, counts);
  std::map<std::string, std::int64_t> last_sum;
  for (const auto& record : read_topic(log, clock, "sums-out")) {
    last_sum[*record.key] = int64_value(*record.value);
  }
  EXPECT_EQ(last_sum, sums);
  expect_the_order_of_words(log, clock);
}

}  // namespace thalweg::simulation
