#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/fwd.hpp>

#include <thalweg/topology/topology.h>

namespace thalweg::cli {

struct Context;
class Server;

/// A store as its application declares it.
struct StoreShape {
  std::string name;
  std::string type;  ///< key-value, window, ...
  std::string key_schema;
  std::string value_schema;
  std::int64_t partitions = 0;  ///< 0: not known.
};

/// A topic that belongs to an application: a changelog or repartition topic.
struct TopicShape {
  std::string name;  ///< Whole, with the application's id.
  std::int64_t partitions = 0;
  std::string cleanup_policy;
  std::int64_t retention_ms = -1;
};

/// All about an application that outlives a start of it: what it computes, and what it keeps where.
struct ApplicationDescription {
  std::string application;
  TopologyDescription topology;
  std::vector<StoreShape> stores;
  std::vector<TopicShape> topics;
};

/// The applications of a process; only `application` unless that is empty.
std::vector<ApplicationDescription> describe_server(Server& server, const std::string& application);

/// The document that `describe --format json` prints.
boost::json::value to_json(const std::vector<ApplicationDescription>& descriptions);
/// Reads it back, and what `GET /v1/topology` answers. Throws CommandError that names `origin`.
std::vector<ApplicationDescription> read_descriptions(const std::string& text,
                                                      const std::string& origin);

/// Those of a file, of `-` for standard input, or of an application that runs (http://HOST:PORT);
/// only the context's application, if it names one. Throws CommandError when there is none.
std::vector<ApplicationDescription> descriptions_at(const std::string& place,
                                                    const Context& context);

}  // namespace thalweg::cli
