#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "kafka/kafka_shared.h"

namespace thalweg::internal {

/// A member of no other use, which is in the group when this returns. Null: somebody else is in it,
/// or it did not get in soon. Blocks for some requests to a broker; `gone` ends it.
///
/// For members that come together, and as long as they do. A broker waits for all members that it
/// knows of, but not if the group was empty: then it gives everything to the first (unless it waits
/// for seconds, `group.initial.rebalance.delay.ms`), and as librdkafka joins once a second at most,
/// the others would get theirs a second later.
std::shared_ptr<KafkaClient> keep_door(KafkaShared& shared, const std::string& group,
                                       const std::string& client_id,
                                       const std::vector<std::string>& topics,
                                       const std::atomic<bool>& gone);

}  // namespace thalweg::internal
