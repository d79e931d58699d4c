#include "layered_layout.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace thalweg::cli {
namespace {

constexpr double kGapX = 24;
constexpr double kGapY = 36;
constexpr double kBendWidth = 8;  // What a long edge takes of a layer that it crosses.
constexpr int kSweeps = 12;

/// The layout in the making: the graph's nodes, and a bend for each layer that an edge crosses.
class Layers {
 public:
  explicit Layers(LayeredGraph& graph) : graph_(graph) {}

  void run() {
    if (graph_.nodes.empty()) return;
    choose_layers();
    pull_down();
    add_bends();
    order();
    place();
    write_back();
  }

 private:
  struct Vertex {
    double width = 0;
    double height = 0;
    int layer = 0;
    double x = 0;
    std::vector<std::size_t> up;
    std::vector<std::size_t> down;
  };

  /// Marks edges that lead back to where the walk is as reversed, so that the rest has no circle.
  void find_circles() {
    reversed_.assign(graph_.edges.size(), false);
    std::vector<int> state(graph_.nodes.size(), 0);
    std::vector<std::vector<std::size_t>> out(graph_.nodes.size());
    for (std::size_t e = 0; e < graph_.edges.size(); ++e) out[graph_.edges[e].from].push_back(e);
    struct Frame {
      std::size_t node;
      std::size_t next;
    };
    for (std::size_t root = 0; root < graph_.nodes.size(); ++root) {
      if (state[root] != 0) continue;
      std::vector<Frame> stack{{root, 0}};
      state[root] = 1;
      while (!stack.empty()) {
        auto& frame = stack.back();
        if (frame.next == out[frame.node].size()) {
          state[frame.node] = 2;
          stack.pop_back();
          continue;
        }
        const std::size_t edge = out[frame.node][frame.next++];
        const std::size_t to = graph_.edges[edge].to;
        if (state[to] == 1) {
          reversed_[edge] = true;
        } else if (state[to] == 0) {
          state[to] = 1;
          stack.push_back({to, 0});
        }
      }
    }
  }

  std::size_t upper(std::size_t edge) const {
    return reversed_[edge] ? graph_.edges[edge].to : graph_.edges[edge].from;
  }
  std::size_t lower(std::size_t edge) const {
    return reversed_[edge] ? graph_.edges[edge].from : graph_.edges[edge].to;
  }

  /// Each node as high as what leads to it lets it be.
  void choose_layers() {
    find_circles();
    for (const auto& node : graph_.nodes) {
      vertices_.push_back({.width = node.width, .height = node.height});
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t e = 0; e < graph_.edges.size(); ++e) {
        if (upper(e) == lower(e)) continue;
        const int least = vertices_[upper(e)].layer + 1;
        if (vertices_[lower(e)].layer >= least) continue;
        vertices_[lower(e)].layer = least;
        changed = true;
      }
    }
  }

  /// What nothing leads to stands right above what it leads to.
  void pull_down() {
    constexpr int kNone = std::numeric_limits<int>::max();
    std::vector<int> nearest(vertices_.size(), kNone);
    std::vector<bool> is_root(vertices_.size(), true);
    for (std::size_t e = 0; e < graph_.edges.size(); ++e) {
      if (upper(e) == lower(e)) continue;
      is_root[lower(e)] = false;
      nearest[upper(e)] = std::min(nearest[upper(e)], vertices_[lower(e)].layer);
    }
    for (std::size_t i = 0; i < vertices_.size(); ++i) {
      if (is_root[i] && nearest[i] != kNone) vertices_[i].layer = nearest[i] - 1;
    }
  }

  void add_bends() {
    routes_.resize(graph_.edges.size());
    for (std::size_t e = 0; e < graph_.edges.size(); ++e) {
      if (upper(e) == lower(e)) continue;
      std::size_t last = upper(e);
      routes_[e] = {last};
      for (int layer = vertices_[last].layer + 1; layer < vertices_[lower(e)].layer; ++layer) {
        vertices_.push_back({.width = kBendWidth, .layer = layer});
        connect(last, vertices_.size() - 1);
        last = vertices_.size() - 1;
        routes_[e].push_back(last);
      }
      connect(last, lower(e));
      routes_[e].push_back(lower(e));
    }
    for (std::size_t i = 0; i < vertices_.size(); ++i) {
      const auto layer = static_cast<std::size_t>(vertices_[i].layer);
      if (layers_.size() <= layer) layers_.resize(layer + 1);
      layers_[layer].push_back(i);
    }
  }

  void connect(std::size_t above, std::size_t below) {
    vertices_[above].down.push_back(below);
    vertices_[below].up.push_back(above);
  }

  // --- The order within layers ----------------------------------------------------------------

  void order() {
    auto best = layers_;
    std::size_t fewest = crossings();
    for (int sweep = 0; sweep < kSweeps && fewest > 0; ++sweep) {
      const bool down = sweep % 2 == 0;
      for (std::size_t i = 1; i < layers_.size(); ++i) {
        sort_by_neighbours(layers_[down ? i : layers_.size() - 1 - i], down);
      }
      const std::size_t now = crossings();
      if (now >= fewest) continue;
      fewest = now;
      best = layers_;
    }
    layers_ = std::move(best);
  }

  std::vector<std::size_t> positions() const {
    std::vector<std::size_t> positions(vertices_.size());
    for (const auto& layer : layers_) {
      for (std::size_t i = 0; i < layer.size(); ++i) positions[layer[i]] = i;
    }
    return positions;
  }

  void sort_by_neighbours(std::vector<std::size_t>& layer, bool down) {
    const auto at = positions();
    std::vector<double> centre(vertices_.size());
    for (const std::size_t i : layer) {
      const auto& near = down ? vertices_[i].up : vertices_[i].down;
      double sum = 0;
      for (const std::size_t other : near) sum += static_cast<double>(at[other]);
      centre[i] =
          near.empty() ? static_cast<double>(at[i]) : sum / static_cast<double>(near.size());
    }
    std::ranges::stable_sort(layer, {}, [&](std::size_t i) { return centre[i]; });
  }

  std::size_t crossings() const {
    const auto at = positions();
    std::size_t count = 0;
    for (const auto& layer : layers_) {
      std::vector<std::size_t> ends;  // In the order of their beginnings: inversions are crossings.
      for (const std::size_t i : layer) {
        std::vector<std::size_t> own;
        for (const std::size_t to : vertices_[i].down) own.push_back(at[to]);
        std::ranges::sort(own);
        for (const std::size_t end : own) {
          count += static_cast<std::size_t>(
              std::ranges::count_if(ends, [&](std::size_t other) { return other > end; }));
        }
        ends.insert(ends.end(), own.begin(), own.end());
      }
    }
    return count;
  }

  // --- Coordinates ----------------------------------------------------------------------------

  void place() {
    for (auto& layer : layers_) {
      double x = 0;
      for (const std::size_t i : layer) {
        vertices_[i].x = x + vertices_[i].width / 2;
        x += vertices_[i].width + kGapX;
      }
    }
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      const bool down = sweep % 2 == 0;
      for (std::size_t i = 0; i < layers_.size(); ++i) {
        settle(layers_[down ? i : layers_.size() - 1 - i]);
      }
    }
  }

  /// Moves the layer's vertices as near to the middle of their neighbours as their order and sizes
  /// allow: pools of vertices that touch take the mean of what they want.
  void settle(const std::vector<std::size_t>& layer) {
    struct Pool {
      double sum;
      std::size_t size;
      double mean() const { return sum / static_cast<double>(size); }
    };
    std::vector<Pool> pools;
    std::vector<double> offsets;
    double offset = 0;
    for (std::size_t n = 0; n < layer.size(); ++n) {
      const auto& vertex = vertices_[layer[n]];
      if (n > 0) offset += vertices_[layer[n - 1]].width / 2 + kGapX + vertex.width / 2;
      offsets.push_back(offset);
      pools.push_back({wanted(vertex) - offset, 1});
      while (pools.size() > 1 && pools[pools.size() - 2].mean() > pools.back().mean()) {
        const Pool last = pools.back();
        pools.pop_back();
        pools.back() = {pools.back().sum + last.sum, pools.back().size + last.size};
      }
    }
    std::size_t n = 0;
    for (const auto& pool : pools) {
      for (std::size_t i = 0; i < pool.size; ++i, ++n) {
        vertices_[layer[n]].x = pool.mean() + offsets[n];
      }
    }
  }

  double wanted(const Vertex& vertex) const {
    double sum = 0;
    for (const std::size_t other : vertex.up) sum += vertices_[other].x;
    for (const std::size_t other : vertex.down) sum += vertices_[other].x;
    const auto count = vertex.up.size() + vertex.down.size();
    return count == 0 ? vertex.x : sum / static_cast<double>(count);
  }

  void write_back() {
    double left = std::numeric_limits<double>::max();
    double right = 0;
    for (const auto& vertex : vertices_) left = std::min(left, vertex.x - vertex.width / 2);
    for (auto& vertex : vertices_) {
      vertex.x -= left;
      right = std::max(right, vertex.x + vertex.width / 2);
    }
    std::vector<double> middles;
    double y = 0;
    for (const auto& layer : layers_) {
      double height = 0;
      for (const std::size_t i : layer) height = std::max(height, vertices_[i].height);
      middles.push_back(y + height / 2);
      y += height + kGapY;
    }
    graph_.width = right;
    graph_.height = y - kGapY;
    const auto middle = [&](std::size_t i) {
      return Point{vertices_[i].x, middles[static_cast<std::size_t>(vertices_[i].layer)]};
    };
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) graph_.nodes[i].center = middle(i);
    for (std::size_t e = 0; e < graph_.edges.size(); ++e) {
      auto& path = graph_.edges[e].path;
      for (const std::size_t i : routes_[e]) path.push_back(middle(i));
      if (path.empty()) continue;
      path.front().y += graph_.nodes[upper(e)].height / 2;
      path.back().y -= graph_.nodes[lower(e)].height / 2;
      if (reversed_[e]) std::ranges::reverse(path);
    }
  }

  LayeredGraph& graph_;
  std::vector<bool> reversed_;
  std::vector<Vertex> vertices_;  // The graph's nodes, then bends.
  std::vector<std::vector<std::size_t>> layers_;
  std::vector<std::vector<std::size_t>> routes_;  // Of each edge, downwards.
};

}  // namespace

void lay_out(LayeredGraph& graph) { Layers(graph).run(); }

}  // namespace thalweg::cli
