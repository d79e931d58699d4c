#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "kafka/kafka_shared.h"

namespace thalweg::internal {

/// A member of no other use, which leaves its group with the last who holds it. Null: somebody is
/// in the group already, or it could not be asked. Blocks until the member is in, for half a second
/// at most; `gone` ends that.
///
/// It is for members that come together, until they have come. A broker waits for all members that
/// it knows of, but not where nobody was: then it gives everything to the first, and as librdkafka
/// joins once a second at most, the others would get theirs a second later. A broker that waits for
/// some seconds first (`group.initial.rebalance.delay.ms`) lets nobody in so soon, and needs none.
std::shared_ptr<KafkaClient> keep_door(KafkaShared& shared, const std::string& group,
                                       const std::string& client_id,
                                       const std::vector<std::string>& topics,
                                       const std::atomic<bool>& gone);

}  // namespace thalweg::internal
