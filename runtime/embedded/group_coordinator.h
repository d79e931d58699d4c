#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <thalweg/runtime/log.h>

#include "embedded/wakeup.h"

namespace thalweg::internal {

/// The consumer groups of one process: who owns which partition.
///
/// Cooperative: a partition that is to move is first revoked at its owner, and given to the next
/// only after release() or leave(). Not thread-safe: the log calls it under its lock, and wakes the
/// consumers collected in `wakeups` after it.
class GroupCoordinator {
 public:
  using PartitionCount = std::function<std::int32_t(const std::string& topic)>;

  explicit GroupCoordinator(PartitionCount partitions) : partitions_(std::move(partitions)) {}

  /// Adds a member, or changes what the member `id` subscribes to. Returns its id.
  std::string join(const std::string& group, const std::string& id, const std::string& client_id,
                   const std::vector<std::string>& topics,
                   const std::shared_ptr<ConsumerMailbox>& mailbox, Wakeups& wakeups);
  void leave(const std::string& group, const std::string& id, Wakeups& wakeups);
  void release(const std::string& group, const std::string& id,
               const std::vector<TopicPartition>& partitions, Wakeups& wakeups);
  std::int32_t generation(const std::string& group) const;
  /// Whether offsets may be committed with `metadata`: no member at all, or one that has given up
  /// nothing since it read the metadata.
  bool accepts(const GroupMetadata& metadata) const;

 private:
  struct Member {
    std::string id;
    std::set<std::string> topics = {};
    std::shared_ptr<ConsumerMailbox> mailbox;
    std::int32_t valid_from = 0;  ///< Metadata of older generations is refused.
  };
  struct Owner {
    std::string member;
    bool revoking = false;
  };
  struct Group {
    std::int32_t generation = 0;
    std::vector<Member> members;  ///< In the order they joined.
    std::map<TopicPartition, Owner> owners;
  };

  void rebalance(Group& group, Wakeups& wakeups);
  static Member* find(Group& group, const std::string& id);

  PartitionCount partitions_;
  std::map<std::string, Group> groups_;
  std::uint64_t members_made_ = 0;
};

}  // namespace thalweg::internal
