#include <map>

#include <thalweg/topology/topology.h>

namespace thalweg {
namespace {

using Node = TopologyDescription::Node;
using NodeKind = TopologyDescription::NodeKind;

std::string join(const std::vector<std::string>& parts, std::string_view none = {}) {
  if (parts.empty()) return std::string(none);
  std::string joined;
  for (const std::string& part : parts) {
    if (!joined.empty()) joined += ", ";
    joined += part;
  }
  return joined;
}

void append_text(const Node& node, std::string& out) {
  const std::string to = "\n      --> " + join(node.successors, "none");
  const std::string from = "\n      <-- " + join(node.predecessors, "none");
  switch (node.kind) {
    case NodeKind::kSource:
      out += "Source: " + node.name + " (topics: ";
      out += (node.pattern.empty() ? "[" + join(node.topics) + "]" : node.pattern) + ")" + to;
      break;
    case NodeKind::kProcessor:
      out += "Processor: " + node.name + " (stores: [" + join(node.stores) + "]";
      for (const std::string& note : node.notes) out += ", " + note;
      out += ")" + to + from;
      break;
    case NodeKind::kSink:
      out += "Sink: " + node.name;
      out += node.topic_extractor.empty() ? " (topic: " + join(node.topics) + ")"
                                          : " (extractor class: " + node.topic_extractor + ")";
      out += from;
      break;
  }
}

/// A JSON string, which is a DOT string too.
std::string quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[static_cast<std::size_t>(c) >> 4];
      out += kHex[static_cast<std::size_t>(c) & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string json_list(const std::vector<std::string>& parts) {
  std::string out = "[";
  for (const std::string& part : parts) {
    if (out.size() > 1) out += ',';
    out += quoted(part);
  }
  return out + "]";
}

std::string json_node(const Node& node) {
  constexpr std::string_view kKinds[] = {"source", "processor", "sink"};
  std::string out = "{\"type\":\"";
  out += kKinds[static_cast<std::size_t>(node.kind)];
  out += "\",\"name\":" + quoted(node.name);
  if (node.kind != NodeKind::kProcessor) out += ",\"topics\":" + json_list(node.topics);
  if (!node.pattern.empty()) out += ",\"pattern\":" + quoted(node.pattern);
  if (!node.topic_extractor.empty()) out += ",\"extractor\":" + quoted(node.topic_extractor);
  if (node.kind == NodeKind::kProcessor) out += ",\"stores\":" + json_list(node.stores);
  if (!node.notes.empty()) out += ",\"notes\":" + json_list(node.notes);
  out += ",\"predecessors\":" + json_list(node.predecessors);
  out += ",\"successors\":" + json_list(node.successors);
  return out + "}";
}

/// Short identifiers for what Mermaid draws: it takes few characters in them.
class Identifiers {
 public:
  explicit Identifiers(char letter) : letter_(letter) {}
  /// The identifier of `name`, and whether it is new.
  std::pair<std::string, bool> of(const std::string& name) {
    const auto [entry, is_new] = numbers_.try_emplace(name, numbers_.size());
    return {letter_ + std::to_string(entry->second), is_new};
  }

 private:
  char letter_;
  std::map<std::string, std::size_t> numbers_;
};

std::string mermaid_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') {
      out += "#quot;";
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

std::string TopologyDescription::to_text() const {
  std::string out = "Topologies:\n ";
  for (const SubTopologyNodes& subtopology : subtopologies) {
    out += "  Sub-topology: " + std::to_string(subtopology.id);
    out += subtopology.is_global ? " for global store (will not generate tasks)\n" : "\n";
    for (const Node& node : subtopology.nodes) {
      out += "    ";
      append_text(node, out);
      out += "\n";
    }
    if (!subtopology.is_global) out += "\n";
  }
  return out;
}

std::string TopologyDescription::to_json() const {
  std::string out = "{\"subtopologies\":[";
  for (const SubTopologyNodes& subtopology : subtopologies) {
    if (out.back() == '}') out += ',';
    out += "{\"id\":" + std::to_string(subtopology.id);
    if (subtopology.is_global) out += ",\"global\":true";
    out += ",\"nodes\":[";
    for (const Node& node : subtopology.nodes) {
      if (out.back() == '}') out += ',';
      out += json_node(node);
    }
    out += "]}";
  }
  return out + "]}";
}

std::string TopologyDescription::to_dot() const {
  std::string out = "digraph topology {\n  rankdir=TB;\n  node [shape=box, style=rounded];\n";
  std::string edges;
  std::map<std::string, bool> topics;
  for (const SubTopologyNodes& subtopology : subtopologies) {
    const std::string id = std::to_string(subtopology.id);
    out += "  subgraph cluster_" + id + " {\n    label=\"Sub-topology " + id + "\";\n";
    std::map<std::string, bool> stores;
    for (const Node& node : subtopology.nodes) {
      out += "    " + quoted(node.name) + ";\n";
      for (const std::string& child : node.successors) {
        edges += "  " + quoted(node.name) + " -> " + quoted(child) + ";\n";
      }
      for (const std::string& store : node.stores) {
        stores[store] = true;
        edges += "  " + quoted(node.name) + " -> " + quoted("store " + store) +
                 " [dir=both, style=dashed];\n";
      }
      for (const std::string& topic : node.topics) {
        topics[topic] = true;
        const std::string drawn = quoted("topic " + topic);
        edges += node.kind == NodeKind::kSource
                     ? "  " + drawn + " -> " + quoted(node.name) + ";\n"
                     : "  " + quoted(node.name) + " -> " + drawn + ";\n";
      }
    }
    for (const auto& [store, unused] : stores) {
      out += "    " + quoted("store " + store) + " [shape=cylinder, label=" + quoted(store) +
             "];\n";
    }
    out += "  }\n";
  }
  for (const auto& [topic, unused] : topics) {
    out += "  " + quoted("topic " + topic) + " [shape=cds, label=" + quoted(topic) + "];\n";
  }
  return out + edges + "}\n";
}

std::string TopologyDescription::to_mermaid() const {
  std::string out = "flowchart TB\n";
  std::string edges;
  Identifiers nodes('n');
  Identifiers stores('s');
  Identifiers topics('t');
  const auto topic_id = [&](const std::string& topic) {
    const auto [id, is_new] = topics.of(topic);
    if (is_new) edges += "  " + id + ">" + mermaid_text(topic) + "]\n";
    return id;
  };
  for (const SubTopologyNodes& subtopology : subtopologies) {
    const std::string number = std::to_string(subtopology.id);
    out += "  subgraph sub" + number + "[\"Sub-topology " + number + "\"]\n";
    for (const Node& node : subtopology.nodes) {
      const std::string id = nodes.of(node.name).first;
      out += "    " + id + "(" + mermaid_text(node.name) + ")\n";
      for (const std::string& child : node.successors) {
        edges += "  " + id + " --> " + nodes.of(child).first + "\n";
      }
      for (const std::string& store : node.stores) {
        const auto [store_id, is_new] = stores.of(store);
        if (is_new) out += "    " + store_id + "[(" + mermaid_text(store) + ")]\n";
        edges += "  " + id + " -.- " + store_id + "\n";
      }
      for (const std::string& topic : node.topics) {
        const std::string drawn = topic_id(topic);
        edges += node.kind == NodeKind::kSource ? "  " + drawn + " --> " + id + "\n"
                                                : "  " + id + " --> " + drawn + "\n";
      }
    }
    out += "  end\n";
  }
  return out + edges;
}

}  // namespace thalweg
