#pragma once

#include <boost/json/fwd.hpp>

#include <thalweg/schemas/error.h>
#include <thalweg/topology/topology.h>

namespace thalweg {

/// Reads back what TopologyDescription::to_json() wrote and `GET /v1/topology` answers. Lists that
/// are missing are empty, and members that it does not know are passed over, so that older and
/// newer applications can be read; kInvalid says which member is of another kind than expected.
Result<TopologyDescription> read_topology(const boost::json::value& json);

}  // namespace thalweg
