#pragma once

#include <string>

#include <thalweg/topology/topology.h>

namespace thalweg::cli {

/// The topology as a picture: a frame for each sub-topology, one below the other, in it its
/// processors, stores and topics. Needs nothing but what shows SVG; follows a dark background.
std::string to_svg(const std::string& title, const TopologyDescription& topology);

}  // namespace thalweg::cli
