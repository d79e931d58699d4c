// The table of committed entries by itself: whatever happens to it, its groups and its order show
// what a map shows.
#include "state/byte_table.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace thalweg::test {
namespace {

using internal::ByteTable;
using Model = std::map<std::string, std::optional<std::string>>;
using Rows = std::vector<std::pair<std::string, std::optional<std::string>>>;

constexpr std::size_t kSuffix = 2;

std::pair<std::string, std::optional<std::string>> row_of(const internal::ByteEntry* entry) {
  if (entry->is_tombstone()) return {std::string(entry->key()), std::nullopt};
  return {std::string(entry->key()), std::string(entry->value())};
}

Rows rows_of(const ByteTable::Order& order) {
  Rows rows;
  for (auto at = order.begin(); at != order.end(); ++at) rows.push_back(row_of(*at));
  return rows;
}

/// A table beside the map that it is to agree with.
struct Pair {
  ByteTable table;
  Model model;

  void put(const std::string& key, const std::optional<std::string>& value) {
    table.put(key, value ? std::optional<BytesView>(*value) : std::nullopt, from_millis(1));
    model[key] = value;
  }
  void erase(const std::string& key) {
    table.erase(key);
    model.erase(key);
  }
  void erase_before(const std::string& key) {
    table.erase_before(key);
    model.erase(model.begin(), model.lower_bound(key));
  }

  void check() const {
    RC_ASSERT(table.size() == model.size());
    for (const auto& [key, value] : model) {
      const auto* found = table.find(key);
      RC_ASSERT(found != nullptr);
      RC_ASSERT(row_of(found) == std::pair(key, value));
    }
    if (table.is_ordered()) RC_ASSERT(rows_of(table.order()) == Rows(model.begin(), model.end()));
    if (table.is_grouped()) check_groups();
  }
  void check_groups() const {
    std::map<std::string, Rows> groups;
    for (const auto& [key, value] : model) {
      groups[key.substr(0, key.size() - kSuffix)].emplace_back(key, value);
    }
    for (const auto& [group, rows] : groups) {
      RC_ASSERT(table.group(group) != nullptr);
      RC_ASSERT(rows_of(*table.group(group)) == rows);
    }
    for (const char* group : {"", "a", "aa", "b", "never"}) {
      if (!groups.contains(group)) RC_ASSERT(table.group(group) == nullptr);
    }
  }
};

class Life {
 public:
  explicit Life(std::uint32_t seed) : random_(seed) {}

  void step() {
    switch (random_() % 32) {
      case 0:
        one_.table.make_grouped(kSuffix);
        break;
      case 1:
        one_.table.make_ordered();
        break;
      case 2:
        one_.table.swap(other_.table);
        one_.model.swap(other_.model);
        break;
      case 3:
        one_.model.merge(other_.model);
        other_.model.clear();
        one_.table.merge_older(other_.table);
        break;
      case 4:
        one_.erase_before(key());
        break;
      case 5:
        if (random_() % 8 == 0) {
          one_.table.clear();
          one_.model.clear();
        }
        break;
      case 6:
      case 7:
      case 8:
      case 9:
        one_.erase(key());
        break;
      default:
        one_.put(key(), value());
    }
    one_.check();
    other_.check();
  }

 private:
  std::string key() {
    static const std::vector<std::string> kGroups = {"",   "a", "aa",
                                                     "ab", "b", std::string(1, '\0')};
    std::string key = kGroups[random_() % kGroups.size()];
    for (std::size_t i = 0; i < kSuffix; ++i) key += static_cast<char>('`' + random_() % 3);
    return key;
  }
  /// Of lengths that fit into the block of the one before, and that do not.
  std::optional<std::string> value() {
    if (random_() % 6 == 0) return std::nullopt;
    return std::string(random_() % 4 == 0 ? 2000 : random_() % 20, 'v');
  }

  std::mt19937 random_;
  Pair one_;
  Pair other_;
};

RC_GTEST_PROP(ByteTableModel, GroupsAndOrderAgreeWithAMap, ()) {
  Life life(*rc::gen::noShrink(rc::gen::arbitrary<std::uint32_t>()));
  for (int i = *rc::gen::inRange(1, 200); i > 0; --i) life.step();
}

/// Keys of one group and their neighbour's, in an order of their own.
std::vector<std::string> many_keys(std::uint32_t seed) {
  std::vector<std::string> keys;
  for (char high = 0; high < 32; ++high) {
    for (char low = 0; low < 32; ++low) keys.push_back(std::string("g") + high + low);
  }
  std::mt19937 random(seed);
  std::shuffle(keys.begin(), keys.end(), random);
  return keys;
}

TEST(ByteTables, AGroupOfManyRowsIsInOrderToo) {
  Pair pair;
  pair.table.make_grouped(kSuffix);
  const auto keys = many_keys(1);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    pair.put(keys[i], "v");
    if (i % 100 == 0) pair.check();
  }
  pair.check();

  ByteTable grouped_later;
  for (const auto& key : keys) grouped_later.put(key, BytesView("v"), from_millis(1));
  grouped_later.make_grouped(kSuffix);
  EXPECT_EQ(rows_of(*grouped_later.group("g")), rows_of(*pair.table.group("g")));

  pair.erase_before("g\x10");
  pair.check();
  const auto* rows = pair.table.group("g");
  ASSERT_NE(rows, nullptr);
  EXPECT_EQ((*rows->lower_bound("g\x11\x05"))->key(), "g\x11\x05");
  EXPECT_TRUE(rows->lower_bound("h") == rows->end());
  for (const auto& key : keys) pair.erase(key);
  pair.check();
  EXPECT_EQ(pair.table.group("g"), nullptr);
}

TEST(ByteTables, WhatGroupsTakeIsCountedAndGivenBackWithThem) {
  ByteTable table;
  table.make_grouped(kSuffix);
  const std::size_t at_first = table.index_footprint();
  for (int i = 0; i < 10000; ++i) {
    table.put(std::to_string(100000 + i) + "ab", BytesView("v"), from_millis(1));
  }
  const std::size_t full = table.index_footprint();
  EXPECT_GT(full, at_first + 10000 * sizeof(void*));

  table.make_ordered();
  EXPECT_GT(table.index_footprint(), full + 10000 * sizeof(void*));

  table.erase_before("2");
  EXPECT_LT(table.index_footprint(), full / 8);
}

}  // namespace
}  // namespace thalweg::test
