#pragma once

#include <string_view>

#include <thalweg/topology/streams_builder.h>

#include "peer/progress.h"
#include "peer/settings.h"

namespace thalweg::bench {

using NexmarkQuery = void (*)(StreamsBuilder&, const PeerSettings&, Progress&);

/// A query of Nexmark ("nexmark-q5"), the benchmark of an auction house; null for other names.
/// bench/README.md says what each asks and which topics it reads.
NexmarkQuery nexmark_query(std::string_view workload);

}  // namespace thalweg::bench
