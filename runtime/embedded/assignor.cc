#include "embedded/assignor.h"

#include <algorithm>
#include <tuple>

namespace thalweg::internal {

namespace {

struct Share {
  const std::string* member;
  std::size_t order;
  std::int32_t total = 0;  ///< Given out so far, over all topics.
  std::int32_t owned_in_all = 0;
  std::int32_t owned_here = 0;
  std::int32_t quota = 0;
};

/// Decides how many partitions of a topic each member gets.
void set_quotas(std::vector<Share*>& shares, std::int32_t partitions) {
  const auto members = static_cast<std::int32_t>(shares.size());
  const std::int32_t each = partitions / members;
  const std::int32_t more = partitions % members;
  std::ranges::sort(shares, {}, [each](const Share* s) {
    return std::tuple(s->total, s->owned_here <= each, s->owned_in_all, s->order);
  });
  for (std::int32_t i = 0; i < members; ++i) {
    Share& share = *shares[static_cast<std::size_t>(i)];
    share.quota = each + (i < more ? 1 : 0);
    share.total += share.quota;
  }
}

}  // namespace

std::map<TopicPartition, std::string> assign_partitions(
    const std::vector<GroupMember>& members, const std::map<std::string, std::int32_t>& topics,
    const std::map<TopicPartition, std::string>& owned) {
  std::map<TopicPartition, std::string> assignment;
  std::vector<Share> shares;
  for (const GroupMember& member : members) {
    shares.push_back({.member = &member.id, .order = shares.size()});
    shares.back().owned_in_all = static_cast<std::int32_t>(
        std::ranges::count(owned, member.id, [](const auto& entry) { return entry.second; }));
  }
  for (const auto& [topic, partitions] : topics) {
    std::vector<Share*> here;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (!members[i].topics.contains(topic)) continue;
      shares[i].owned_here =
          static_cast<std::int32_t>(std::ranges::count_if(owned, [&](const auto& e) {
            return e.first.topic == topic && e.second == members[i].id;
          }));
      here.push_back(&shares[i]);
    }
    if (here.empty()) continue;
    set_quotas(here, partitions);
    std::ranges::sort(here, {}, &Share::order);
    // Owners keep what they have, up to their quota.
    for (std::int32_t p = 0; p < partitions; ++p) {
      const auto owner = owned.find({topic, p});
      if (owner == owned.end()) continue;
      for (Share* share : here) {
        if (*share->member != owner->second || share->quota == 0) continue;
        assignment[owner->first] = owner->second;
        --share->quota;
      }
    }
    auto next = here.begin();
    for (std::int32_t p = 0; p < partitions; ++p) {
      if (assignment.contains({topic, p})) continue;
      while ((*next)->quota == 0) ++next;
      assignment[{topic, p}] = *(*next)->member;
      --(*next)->quota;
    }
  }
  return assignment;
}

}  // namespace thalweg::internal
