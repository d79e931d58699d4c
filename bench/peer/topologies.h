#pragma once

#include <thalweg/topology/topology.h>

#include "peer/progress.h"
#include "peer/settings.h"

namespace thalweg::bench {

/// The topology of a workload: the one that bench/peer/PeerBench.java builds for Kafka Streams.
/// `progress` outlives it. Throws std::invalid_argument for a workload that does not exist.
Topology peer_topology(const PeerSettings& settings, Progress& progress);

}  // namespace thalweg::bench
