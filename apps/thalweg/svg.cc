#include "svg.h"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "layered_layout.h"

namespace thalweg::cli {
namespace {

constexpr double kFont = 12;
constexpr double kLetter = kFont * 0.602;  // Letters of a monospaced font are all as wide.
constexpr double kPadding = 20;
constexpr double kTitle = 24;
constexpr double kBoxHeight = 28;
constexpr double kCylinderHeight = 38;

constexpr std::string_view kStyle = R"(<style>
svg { background: #fff; color: #1b2733; font: 12px ui-monospace, Menlo, Consolas, monospace; }
.frame { fill: none; stroke: #9aa7b4; stroke-dasharray: 4 3; }
.processor { fill: #e8f0fb; stroke: #3b6fb6; }
.store { fill: #fdf1dc; stroke: #b67a1b; }
.topic { fill: #e6f5ec; stroke: #2e8b57; }
.edge { fill: none; stroke: currentColor; stroke-opacity: .65; }
.uses { stroke-dasharray: 3 3; }
text { fill: currentColor; }
.title { font-weight: 600; }
@media (prefers-color-scheme: dark) {
  svg { background: #14191f; color: #dfe6ee; }
  .processor { fill: #1d2b40; }
  .store { fill: #3a2d16; }
  .topic { fill: #17332433; }
}
</style>
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

enum class Shape : std::uint8_t { kProcessor, kStore, kTopic };

/// One sub-topology as a graph, with what its nodes and edges are.
struct Drawing {
  LayeredGraph graph;
  std::vector<std::string> labels;
  std::vector<Shape> shapes;
  std::vector<bool> uses;  ///< The edge leads to a store.
  std::map<std::string, std::size_t> numbers;

  std::size_t node(const std::string& id, const std::string& label, Shape shape) {
    const auto [entry, is_new] = numbers.try_emplace(id, labels.size());
    if (!is_new) return entry->second;
    labels.push_back(label);
    shapes.push_back(shape);
    graph.nodes.push_back({.width = static_cast<double>(label.size()) * kLetter + 2 * 12,
                           .height = shape == Shape::kStore ? kCylinderHeight : kBoxHeight});
    return entry->second;
  }
  void edge(std::size_t from, std::size_t to, bool is_use = false) {
    graph.edges.push_back({.from = from, .to = to});
    uses.push_back(is_use);
  }
};

/// A topic that is read and one that is written are two boxes: what goes round outside is no part
/// of the picture.
Drawing drawing_of(const TopologyDescription::SubTopologyNodes& subtopology) {
  using NodeKind = TopologyDescription::NodeKind;
  Drawing drawing;
  for (const auto& node : subtopology.nodes) {
    const auto self = drawing.node("node " + node.name, node.name, Shape::kProcessor);
    const bool is_source = node.kind == NodeKind::kSource;
    auto topics = node.topics;
    if (!node.pattern.empty()) topics.push_back("/" + node.pattern + "/");
    if (!node.topic_extractor.empty()) topics.push_back("(" + node.topic_extractor + ")");
    for (const auto& topic : topics) {
      const auto box = drawing.node((is_source ? "from " : "to ") + topic, topic, Shape::kTopic);
      is_source ? drawing.edge(box, self) : drawing.edge(self, box);
    }
    for (const auto& store : node.stores) {
      drawing.edge(self, drawing.node("store " + store, store, Shape::kStore), true);
    }
  }
  for (const auto& node : subtopology.nodes) {
    for (const auto& next : node.successors) {
      const auto to = drawing.numbers.find("node " + next);
      if (to != drawing.numbers.end())
        drawing.edge(drawing.numbers.at("node " + node.name), to->second);
    }
  }
  lay_out(drawing.graph);
  return drawing;
}

void append_node(const LayeredGraph::Node& node, const std::string& label, Shape shape,
                 std::string& out) {
  const double left = node.center.x - node.width / 2;
  const double top = node.center.y - node.height / 2;
  switch (shape) {
    case Shape::kProcessor:
    case Shape::kTopic:
      out += fmt::format(
          R"(<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="{}"/>)",
          shape == Shape::kTopic ? "topic" : "processor", left, top, node.width, node.height,
          shape == Shape::kTopic ? 14 : 3);
      break;
    case Shape::kStore:
      out +=
          fmt::format(R"(<path class="store" d="M{0:.1f},{1:.1f}v{2:.1f}a{3:.1f},5 0 0 0 {4:.1f},0)"
                      R"(v-{2:.1f}a{3:.1f},5 0 0 0 -{4:.1f},0a{3:.1f},5 0 0 0 {4:.1f},0"/>)",
                      left, top + 5, node.height - 10, node.width / 2, node.width);
      break;
  }
  const double down = shape == Shape::kStore ? 8 : 4;
  out += fmt::format(R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)", node.center.x,
                     node.center.y + down, escaped(label));
  out += '\n';
}

/// Smooth through the middles between bends.
void append_edge(const LayeredGraph::Edge& edge, bool is_use, std::string& out) {
  if (edge.path.size() < 2) return;
  std::string path = fmt::format("M{:.1f},{:.1f}", edge.path.front().x, edge.path.front().y);
  for (std::size_t i = 1; i < edge.path.size(); ++i) {
    const Point from = edge.path[i - 1];
    const Point to = edge.path[i];
    const double middle = (from.y + to.y) / 2;
    path += fmt::format("C{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}", from.x, middle, to.x, middle,
                        to.x, to.y);
  }
  out += fmt::format(R"(<path class="edge{}" d="{}"{}/>)", is_use ? " uses" : "", path,
                     is_use ? "" : R"~( marker-end="url(#arrow)")~");
  out += '\n';
}

}  // namespace

std::string to_svg(const std::string& title, const TopologyDescription& topology) {
  std::string body;
  double width = static_cast<double>(title.size()) * kLetter + 2 * kPadding;
  double y = kPadding + kTitle;
  for (const auto& subtopology : topology.subtopologies) {
    const Drawing drawing = drawing_of(subtopology);
    const std::string name = "Sub-topology " + std::to_string(subtopology.id) +
                             (subtopology.is_global ? " (global store)" : "");
    const double inner = std::max(drawing.graph.width, static_cast<double>(name.size()) * kLetter);
    const double frame_width = inner + 2 * kPadding;
    const double frame_height = drawing.graph.height + kTitle + 2 * kPadding;
    body += fmt::format(
        R"~(<g transform="translate({0:.1f},{1:.1f})"><rect class="frame" width="{2:.1f}" )~"
        R"~(height="{3:.1f}" rx="6"/><text class="title" x="12" y="18">{4}</text>)~"
        R"~(<g transform="translate({0:.1f},{5:.1f})">)~",
        kPadding, y, frame_width, frame_height, name, kTitle + kPadding);
    body += '\n';
    for (std::size_t i = 0; i < drawing.graph.edges.size(); ++i) {
      append_edge(drawing.graph.edges[i], drawing.uses[i], body);
    }
    for (std::size_t i = 0; i < drawing.graph.nodes.size(); ++i) {
      append_node(drawing.graph.nodes[i], drawing.labels[i], drawing.shapes[i], body);
    }
    body += "</g></g>\n";
    width = std::max(width, frame_width + 2 * kPadding);
    y += frame_height + kPadding;
  }
  std::string out =
      fmt::format(R"(<svg xmlns="http://www.w3.org/2000/svg" width="{0:.0f}" height="{1:.0f}" )"
                  R"(viewBox="0 0 {0:.0f} {1:.0f}" role="img"><title>{2}</title>)",
                  width, y, escaped(title));
  out += '\n';
  out += kStyle;
  out +=
      R"(<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" )"
      R"(markerHeight="7" orient="auto"><path d="M0,0L8,4L0,8z" fill="currentColor"/>)"
         "</marker></defs>";
  out += '\n';
  out += fmt::format(R"(<text class="title" x="{:.0f}" y="{:.0f}">{}</text>)", kPadding,
                     kPadding + 4, escaped(title));
  return out + '\n' + body + "</svg>\n";
}

}  // namespace thalweg::cli
