#pragma once

#include <cstddef>
#include <vector>

namespace thalweg::cli {

struct Point {
  double x = 0;
  double y = 0;
};

/// A graph whose nodes have sizes, and then places: edges point down, from layer to layer.
struct LayeredGraph {
  struct Node {
    double width = 0;
    double height = 0;
    Point center = {};  ///< Set by lay_out().
  };
  struct Edge {
    std::size_t from = 0;
    std::size_t to = 0;
    std::vector<Point> path = {};  ///< Set by lay_out(): from one node's edge to the other's.
  };
  std::vector<Node> nodes;
  std::vector<Edge> edges;
  double width = 0;  ///< Of all of it; the upper left corner is at 0, 0.
  double height = 0;
};

/// Places the nodes in layers, each below all that lead to it, so that edges are short and few
/// cross: longest paths, then barycentres up and down, then the least squares that keep the order.
/// Edges that would close a circle are drawn upwards.
void lay_out(LayeredGraph& graph);

}  // namespace thalweg::cli
