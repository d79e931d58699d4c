#include "lineage.h"

#include <algorithm>
#include <charconv>

namespace thalweg::cli {
namespace {

constexpr std::size_t kDigits = 10;  // Of the number in a generated name.

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<GeneratedName> GeneratedName::parse(std::string_view name) {
  for (std::size_t at = 0; at + kDigits <= name.size(); ++at) {
    const auto digits = name.substr(at, kDigits);
    const bool ends = at + kDigits == name.size() || !is_digit(name[at + kDigits]);
    const bool begins = at > 0 && name[at - 1] == '-';
    if (!begins || !ends || !std::ranges::all_of(digits, is_digit)) continue;
    GeneratedName generated;
    generated.kind = std::string(name.substr(0, at)) + '#' + std::string(name.substr(at + kDigits));
    std::from_chars(digits.data(), digits.data() + digits.size(), generated.number);
    return generated;
  }
  return std::nullopt;
}

Lineage::Lineage(const TopologyDescription& topology) {
  using NodeKind = TopologyDescription::NodeKind;
  std::map<std::string, Sources> by_node;
  std::set<std::string> written;
  for (const auto& subtopology : topology.subtopologies) {
    for (const auto& node : subtopology.nodes) {
      if (node.kind != NodeKind::kSink) continue;
      written.insert(node.topics.begin(), node.topics.end());
    }
  }
  // Passed on until nothing is new: repartition topics lead from one part to another, in any order.
  const auto pass = [](const Sources& from, Sources& to) {
    const auto before = to.size();
    to.insert(from.begin(), from.end());
    return to.size() != before;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& subtopology : topology.subtopologies) {
      for (const auto& node : subtopology.nodes) {
        auto& sources = by_node[node.name];
        if (node.kind == NodeKind::kSource) {
          for (const auto& topic : node.topics) {
            changed = pass(written.contains(topic) ? by_topic_[topic] : Sources{topic}, sources) ||
                      changed;
          }
          if (!node.pattern.empty()) changed = pass({"/" + node.pattern + "/"}, sources) || changed;
        }
        for (const auto& before : node.predecessors) {
          changed = pass(by_node[before], sources) || changed;
        }
        if (node.kind != NodeKind::kSink) continue;
        for (const auto& topic : node.topics) changed = pass(sources, by_topic_[topic]) || changed;
      }
    }
  }
  for (const auto& subtopology : topology.subtopologies) {
    for (const auto& node : subtopology.nodes) {
      for (const auto& store : node.stores) pass(by_node[node.name], by_store_[store]);
    }
  }
}

const std::set<std::string>& Lineage::sources_of_store(const std::string& store) const {
  static const Sources kNone;
  const auto found = by_store_.find(store);
  return found == by_store_.end() ? kNone : found->second;
}

const std::set<std::string>& Lineage::sources_of_topic(const std::string& topic) const {
  static const Sources kNone;
  const auto found = by_topic_.find(topic);
  return found == by_topic_.end() ? kNone : found->second;
}

}  // namespace thalweg::cli
