#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace thalweg {

/// Where a partitioner sends one record: to a partition, to several, to none, or by its key.
class Partitions {
 public:
  /// One partition. A number says it, too.
  Partitions(std::int32_t partition) : kind_(Kind::kOne), one_(partition) {}  // NOLINT
  /// A copy to each of them; none of them drops the record and counts it.
  static Partitions of(std::vector<std::int32_t> partitions) {
    Partitions several(Kind::kSeveral);
    several.several_ = std::move(partitions);
    return several;
  }
  /// As without a partitioner: by the hash of the key.
  static Partitions by_key() { return Partitions(Kind::kByKey); }
  /// Nowhere: the record is dropped and counted.
  static Partitions none() { return of({}); }

  bool is_by_key() const { return kind_ == Kind::kByKey; }
  bool is_none() const { return kind_ == Kind::kSeveral && several_.empty(); }
  /// Calls `send(partition)` for each.
  template <typename Send>
  void for_each(Send send) const {
    if (kind_ == Kind::kOne) send(one_);
    for (const std::int32_t partition : several_) send(partition);
  }

 private:
  enum class Kind : std::uint8_t { kOne, kSeveral, kByKey };
  explicit Partitions(Kind kind) : kind_(kind) {}

  Kind kind_;
  std::int32_t one_ = 0;
  std::vector<std::int32_t> several_;
};

/// `Partitions partitioner(const K& key, const V& value, std::int32_t partitions)`; a number of a
/// partition will do.
template <typename K, typename V>
using StreamPartitioner =
    std::function<Partitions(const K& key, const V& value, std::int32_t partitions)>;

}  // namespace thalweg
