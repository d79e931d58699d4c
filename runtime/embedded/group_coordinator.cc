#include "embedded/group_coordinator.h"

#include <algorithm>

#include "embedded/assignor.h"

namespace thalweg::internal {

GroupCoordinator::Member* GroupCoordinator::find(Group& group, const std::string& id) {
  const auto member = std::ranges::find(group.members, id, &Member::id);
  return member == group.members.end() ? nullptr : &*member;
}

std::string GroupCoordinator::join(const std::string& group, const std::string& id,
                                   const std::string& client_id,
                                   const std::vector<std::string>& topics,
                                   const std::shared_ptr<ConsumerMailbox>& mailbox,
                                   Wakeups& wakeups) {
  Group& joined = groups_[group];
  Member* member = find(joined, id);
  if (member == nullptr) {
    const std::string name =
        (client_id.empty() ? "consumer" : client_id) + "-" + std::to_string(++members_made_);
    joined.members.push_back({.id = name, .mailbox = mailbox, .valid_from = joined.generation + 1});
    member = &joined.members.back();
  }
  member->topics = {topics.begin(), topics.end()};
  const std::string joined_as = member->id;
  rebalance(joined, wakeups);
  return joined_as;
}

void GroupCoordinator::leave(const std::string& group, const std::string& id, Wakeups& wakeups) {
  Group& left = groups_[group];
  Member* member = find(left, id);
  if (member == nullptr) return;
  member->mailbox->forget_assignments();
  left.members.erase(left.members.begin() + (member - left.members.data()));
  std::erase_if(left.owners, [&](const auto& entry) { return entry.second.member == id; });
  rebalance(left, wakeups);
}

void GroupCoordinator::release(const std::string& group, const std::string& id,
                               const std::vector<TopicPartition>& partitions, Wakeups& wakeups) {
  Group& released = groups_[group];
  Member* member = find(released, id);
  if (member == nullptr) return;
  bool gave_up = false;
  for (const TopicPartition& partition : partitions) {
    const auto owner = released.owners.find(partition);
    if (owner == released.owners.end() || owner->second.member != id || !owner->second.revoking) {
      continue;
    }
    released.owners.erase(owner);
    gave_up = true;
  }
  if (!gave_up) return;
  member->valid_from = released.generation + 1;
  rebalance(released, wakeups);
}

std::int32_t GroupCoordinator::generation(const std::string& group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? -1 : found->second.generation;
}

bool GroupCoordinator::accepts(const GroupMetadata& metadata) const {
  if (metadata.member.empty() && metadata.generation < 0) return true;
  const auto group = groups_.find(metadata.group);
  if (group == groups_.end()) return false;
  const auto member = std::ranges::find(group->second.members, metadata.member, &Member::id);
  return member != group->second.members.end() && metadata.generation >= member->valid_from &&
         metadata.generation <= group->second.generation;
}

void GroupCoordinator::rebalance(Group& group, Wakeups& wakeups) {
  ++group.generation;
  std::vector<GroupMember> members;
  std::map<std::string, std::int32_t> topics;
  for (const Member& member : group.members) {
    members.push_back({member.id, member.topics});
    for (const std::string& topic : member.topics) topics[topic] = partitions_(topic);
  }
  std::map<TopicPartition, std::string> owned;
  for (const auto& [partition, owner] : group.owners) {
    if (!owner.revoking) owned[partition] = owner.member;
  }
  const auto assignment = assign_partitions(members, topics, owned);

  std::map<std::string, ConsumerEvent> assigned;
  std::map<std::string, ConsumerEvent> revoking;
  for (auto& [partition, owner] : group.owners) {
    const auto target = assignment.find(partition);
    const bool stays = target != assignment.end() && target->second == owner.member;
    if (owner.revoking || stays) continue;
    owner.revoking = true;
    revoking[owner.member].partitions.push_back(partition);
  }
  for (const auto& [partition, member] : assignment) {
    if (!group.owners.try_emplace(partition, Owner{member}).second) continue;
    assigned[member].partitions.push_back(partition);
  }
  const auto tell = [&](std::map<std::string, ConsumerEvent>& events, ConsumerEvent::Kind kind) {
    for (auto& [id, event] : events) {
      event.kind = kind;
      const Member& member = *find(group, id);
      member.mailbox->post(std::move(event));
      wakeups.push_back(member.mailbox);
    }
  };
  tell(revoking, ConsumerEvent::Kind::kRevoking);
  tell(assigned, ConsumerEvent::Kind::kAssigned);
}

}  // namespace thalweg::internal
