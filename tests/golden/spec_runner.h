#pragma once

#include <string>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace thalweg::golden {

/// Builds the topology of a spec, feeds its inputs to a TopologyTestDriver, and gives everything
/// that can be observed: description, outputs, internal topics, stores, drops, error. An error of
/// the spec itself has phase `spec`.
boost::json::object run_spec(const boost::json::value& spec);

}  // namespace thalweg::golden
