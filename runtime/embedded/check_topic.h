#pragma once

#include <thalweg/runtime/log.h>

namespace thalweg::internal {

/// Whether a topic may be made so: Kafka's rules for names, and one partition at least.
Status check_topic(const TopicSpec& spec);

}  // namespace thalweg::internal
