#include <boost/json.hpp>

#include <thalweg/runtime/topology_json.h>

namespace thalweg {
namespace {

namespace json = boost::json;
using Node = TopologyDescription::Node;
using NodeKind = TopologyDescription::NodeKind;

/// What read_topology() answers with an error.
struct UnexpectedKind {
  std::string message;
};

[[noreturn]] void refuse(std::string_view name, std::string_view kind) {
  throw UnexpectedKind{"'" + std::string(name) + "' of a topology is not " + std::string(kind)};
}

const json::object& object(const json::value& value, std::string_view name) {
  if (const auto* object = value.if_object()) return *object;
  refuse(name, "an object");
}

const json::array& list(const json::object& parent, std::string_view name) {
  static const json::array kNone;
  const auto* found = parent.if_contains(name);
  if (!found) return kNone;
  if (const auto* array = found->if_array()) return *array;
  refuse(name, "a list");
}

std::string text(const json::value& value, std::string_view name) {
  if (const auto* text = value.if_string()) return std::string(*text);
  refuse(name, "a string");
}

std::string text(const json::object& parent, std::string_view name) {
  const auto* found = parent.if_contains(name);
  return found ? text(*found, name) : std::string();
}

std::vector<std::string> texts(const json::object& parent, std::string_view name) {
  std::vector<std::string> all;
  for (const auto& item : list(parent, name)) all.push_back(text(item, name));
  return all;
}

NodeKind kind(const json::object& node) {
  const std::string type = text(node, "type");
  if (type == "source") return NodeKind::kSource;
  if (type == "processor") return NodeKind::kProcessor;
  if (type == "sink") return NodeKind::kSink;
  refuse("type", "source, processor or sink");
}

Node read_node(const json::object& node) {
  return {.kind = kind(node),
          .name = text(node, "name"),
          .topics = texts(node, "topics"),
          .pattern = text(node, "pattern"),
          .topic_extractor = text(node, "extractor"),
          .stores = texts(node, "stores"),
          .notes = texts(node, "notes"),
          .predecessors = texts(node, "predecessors"),
          .successors = texts(node, "successors")};
}

std::int32_t number(const json::object& parent, std::string_view name) {
  const auto* found = parent.if_contains(name);
  if (found && found->is_int64()) return static_cast<std::int32_t>(found->get_int64());
  refuse(name, "a number");
}

TopologyDescription::SubTopologyNodes read_subtopology(const json::object& part) {
  TopologyDescription::SubTopologyNodes subtopology{.id = number(part, "id"), .nodes = {}};
  const auto* global = part.if_contains("global");
  subtopology.is_global = global && global->is_bool() && global->get_bool();
  for (const auto& node : list(part, "nodes")) {
    subtopology.nodes.push_back(read_node(object(node, "nodes")));
  }
  return subtopology;
}

}  // namespace

Result<TopologyDescription> read_topology(const boost::json::value& json) {
  try {
    TopologyDescription topology;
    for (const auto& part : list(object(json, "topology"), "subtopologies")) {
      topology.subtopologies.push_back(read_subtopology(object(part, "subtopologies")));
    }
    return topology;
  } catch (const UnexpectedKind& error) {
    return failure(ErrorCode::kInvalid, error.message);
  }
}

}  // namespace thalweg
