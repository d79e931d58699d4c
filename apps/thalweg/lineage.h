#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <thalweg/topology/topology.h>

namespace thalweg::cli {

/// A name that the DSL made, taken apart: KSTREAM-REDUCE-STATE-STORE-0000000003.
struct GeneratedName {
  std::string kind;  ///< What is before and after the number.
  std::int64_t number = 0;

  /// Absent for a name that a person gave.
  static std::optional<GeneratedName> parse(std::string_view name);
};

/// Where the records come from that reach a node, through repartition topics and all: what stays
/// the same when nodes are renamed and renumbered.
class Lineage {
 public:
  explicit Lineage(const TopologyDescription& topology);

  /// The topics from outside that reach the processors of the store.
  const std::set<std::string>& sources_of_store(const std::string& store) const;
  /// The same of what is written to the topic.
  const std::set<std::string>& sources_of_topic(const std::string& topic) const;

 private:
  using Sources = std::set<std::string>;
  std::map<std::string, Sources> by_store_;
  std::map<std::string, Sources> by_topic_;
};

}  // namespace thalweg::cli
