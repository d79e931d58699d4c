#pragma once

#include <thalweg/topology/streams_builder.h>

#include "peer/progress.h"
#include "peer/settings.h"

namespace thalweg::bench {

/// An order through three hops: its stock by product, its payment by user, its completion by order.
void saga(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress);

}  // namespace thalweg::bench
