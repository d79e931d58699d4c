#include <algorithm>
#include <utility>

#include "embedded/assignor.h"
#include "simulated/simulated_broker.h"
#include "simulated/simulated_consumer.h"

// Groups of the simulated broker: Kafka's cooperative rebalance in two phases. In the first, owners
// are asked to give partitions up; in the next, the new owners get them.

namespace thalweg::internal {

SimulatedGroup::Member* SimulatedGroup::find(const std::string& id) {
  const auto member = std::ranges::find(members, id, &Member::id);
  return member == members.end() ? nullptr : &*member;
}

std::string SimulatedBroker::join(const std::string& name, const std::string& id,
                                  SimulatedConsumer& consumer, const std::string& client_id,
                                  const std::vector<std::string>& subscribed) {
  SimulatedGroup& group = groups[name];
  SimulatedGroup::Member* member = group.find(id);
  if (member == nullptr) {
    group.members.push_back(
        {.id = (client_id.empty() ? "consumer" : client_id) + "-" + std::to_string(++members_made_),
         .client_id = client_id,
         .topics = {},
         .consumer = &consumer});
    member = &group.members.back();
  }
  member->topics = {subscribed.begin(), subscribed.end()};
  const std::string joined_as = member->id;
  // The member must know its own id before it is told anything.
  consumer.joined(joined_as);
  trigger_rebalance(name);
  return joined_as;
}

void SimulatedBroker::leave(const std::string& name, const std::string& id) {
  SimulatedGroup& group = groups[name];
  if (std::erase_if(group.members, [&](const auto& member) { return member.id == id; }) == 0)
    return;
  std::erase_if(group.owners, [&](const auto& entry) { return entry.second.member == id; });
  trigger_rebalance(name);
}

void SimulatedBroker::release(const std::string& name, const std::string& id,
                              const std::vector<TopicPartition>& partitions) {
  SimulatedGroup& group = groups[name];
  bool gave_up = false;
  for (const TopicPartition& partition : partitions) {
    const auto owner = group.owners.find(partition);
    if (owner == group.owners.end() || owner->second.member != id || !owner->second.revoking) {
      continue;
    }
    group.owners.erase(owner);
    gave_up = true;
  }
  if (gave_up) trigger_rebalance(name);
}

void SimulatedBroker::expire(const std::string& name, const std::string& id) {
  SimulatedGroup& group = groups[name];
  const SimulatedGroup::Member* member = group.find(id);
  if (member == nullptr) return;
  SimulatedConsumer* const consumer = member->consumer;
  std::vector<TopicPartition> lost;
  for (const auto& [partition, owner] : group.owners) {
    if (owner.member == id) lost.push_back(partition);
  }
  leave(name, id);
  if (consumer != nullptr) consumer->expired(id, std::move(lost));
}

bool SimulatedBroker::accepts(const GroupMetadata& metadata) const {
  if (metadata.member.empty() && metadata.generation < 0) return true;
  const auto group = groups.find(metadata.group);
  if (group == groups.end()) return false;
  return metadata.generation == group->second.generation &&
         std::ranges::find(group->second.members, metadata.member, &SimulatedGroup::Member::id) !=
             group->second.members.end();
}

void SimulatedBroker::trigger_rebalance(const std::string& name) {
  SimulatedGroup& group = groups[name];
  if (std::exchange(group.rebalancing, true)) return;
  schedule(delay(options_.rebalance_delay_max), [this, name] { rebalance(name); });
}

void SimulatedBroker::rebalance(const std::string& name) {
  SimulatedGroup& group = groups[name];
  group.rebalancing = false;
  ++group.generation;
  std::vector<GroupMember> members;
  std::map<std::string, std::int32_t> subscribed;
  for (const auto& member : group.members) {
    members.push_back({member.id, member.topics});
    for (const std::string& topic : member.topics) {
      const auto found = topics.find(topic);
      subscribed[topic] = found == topics.end() ? 0 : found->second.spec.partitions;
    }
  }
  std::map<TopicPartition, std::string> owned;
  for (const auto& [partition, owner] : group.owners) {
    if (!owner.revoking) owned[partition] = owner.member;
  }
  const auto assignment = assign_partitions(members, subscribed, owned);

  std::map<std::string, std::vector<TopicPartition>> revoking;
  std::map<std::string, std::vector<TopicPartition>> assigned;
  for (auto& [partition, owner] : group.owners) {
    const auto target = assignment.find(partition);
    const bool stays = target != assignment.end() && target->second == owner.member;
    if (owner.revoking || stays) continue;
    owner.revoking = true;
    revoking[owner.member].push_back(partition);
  }
  for (const auto& [partition, member] : assignment) {
    if (group.owners.try_emplace(partition, SimulatedGroup::Owner{member}).second) {
      assigned[member].push_back(partition);
    }
  }
  for (const auto& member : group.members) {
    if (member.consumer == nullptr) continue;
    member.consumer->rebalanced(member.id, group.generation, revoking[member.id],
                                assigned[member.id]);
  }
}

}  // namespace thalweg::internal
