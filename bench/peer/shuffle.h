#pragma once

#include <thalweg/topology/streams_builder.h>

#include "peer/progress.h"
#include "peer/settings.h"

namespace thalweg::bench {

/// ShuffleBench: a million rules choose records for consumers with state.
void shuffle(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress);

}  // namespace thalweg::bench
