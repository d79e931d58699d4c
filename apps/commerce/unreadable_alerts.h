#pragma once

#include <thalweg/topology/streams_builder.h>

namespace thalweg::shop {

/// Raises an alert on `admin-alerts` and in the log for each record that some application of the
/// shop could not read: reads the dead letters of all topics that others write to. A record that
/// several could not read raises one. Deliveries and payments that are given up raise their own.
void raise_alerts_of_unreadable_records(StreamsBuilder& builder);

}  // namespace thalweg::shop
