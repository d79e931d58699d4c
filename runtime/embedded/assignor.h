#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <thalweg/schemas/ids.h>

namespace thalweg::internal {

/// A member of a group as the assignor sees it.
struct GroupMember {
  std::string id;
  std::set<std::string> topics;
};

/// Shares the partitions of each topic among the members that subscribed to it.
///
/// The counts of two members differ by at most one per topic, and whoever has less over all topics
/// gets the larger share. `owned` partitions stay where they are as far as that allows; the rest
/// are given out in order. The same arguments give the same answer; members are in the order they
/// joined.
std::map<TopicPartition, std::string> assign_partitions(
    const std::vector<GroupMember>& members, const std::map<std::string, std::int32_t>& topics,
    const std::map<TopicPartition, std::string>& owned);

}  // namespace thalweg::internal
