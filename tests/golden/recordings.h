#pragma once

#include <string>
#include <vector>

#include <boost/json/object.hpp>

namespace thalweg::golden {

/// A spec and what Kafka Streams 4.1.1 made of it.
struct Recording {
  boost::json::object spec;
  boost::json::object result;
};

/// The recordings of that name: `cases`, made by hand, or a profile of generated specs.
std::vector<Recording> recordings(const std::string& name);

/// All names.
std::vector<std::string> recording_names();

}  // namespace thalweg::golden
