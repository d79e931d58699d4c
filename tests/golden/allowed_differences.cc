#include "golden/allowed_differences.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace thalweg::golden {
namespace {

/// A processor that adds a header to a record changes the one object that all nodes share which got
/// that record. In Kafka Streams an entry in a cache refers to that object, so that a result which
/// still waits there is marked, too. Here an entry has the headers that the record had when it was
/// written: what a node sends on does not hang on who comes after it.
bool is_marked_while_it_waits(const boost::json::object& spec, const Difference& difference) {
  const auto* cache = spec.at("config").as_object().if_contains("cache");
  if (!cache || *cache == 0) return false;
  const bool marks =
      std::ranges::any_of(spec.at("nodes").as_array(), [](const boost::json::value& node) {
        const auto* processor = node.as_object().if_contains("proc");
        if (!processor) return false;
        const auto kind = processor->at("p").as_string();
        return kind == "tag" || kind == "meta";
      });
  // "line 3: recorded <record> headers=..., came <record> headers=...": the same record?
  const std::string_view where = difference.where;
  const auto record_behind = [where](std::string_view mark) {
    const auto begin = where.find(mark);
    if (begin == where.npos) return std::string_view();
    const auto record = where.substr(begin + mark.size());
    return record.substr(0, record.find(" headers="));
  };
  return marks && !record_behind("recorded ").empty() &&
         record_behind("recorded ") == record_behind(", came ");
}

/// Sessions of one key that end at the same time: the record cache of Kafka Streams has the one
/// that starts first in front, its store in memory the one that starts last, so where the two are
/// merged a session is shown twice. Here each is shown once.
bool caches_sessions_in_memory(const boost::json::object& spec, const Difference&) {
  return std::ranges::any_of(spec.at("nodes").as_array(), [](const boost::json::value& node) {
    const auto* store = node.as_object().if_contains("store");
    if (!store || !store->is_object()) return false;
    const auto is = [store](std::string_view key, const boost::json::value& value) {
      const auto* found = store->as_object().if_contains(key);
      return found && *found == value;
    };
    return is("kind", "session") && is("type", "memory") && is("caching", true);
  });
}
constexpr std::string_view kSessionTwice = "a session in a cached store in memory is shown twice";

/// The error was Kafka Streams' (or ours), with this in its message.
bool is_told(const Difference& difference, std::string_view message) {
  return difference.where.find(message) != difference.where.npos;
}
template <typename Holds>
bool any_node(const boost::json::object& spec, Holds holds) {
  for (const boost::json::value& node : spec.at("nodes").as_array()) {
    if (holds(node.as_object())) return true;
  }
  return false;
}
bool is_op(const boost::json::object& node, std::string_view op) {
  return std::string_view(node.at("op").as_string()) == op;
}

/// Kafka Streams looks up the table of a windowed cogroup as if it had no windows, which fails at
/// start where something joins it. Here it is found.
bool looks_up_a_windowed_cogroup(const boost::json::object& spec, const Difference& difference) {
  const auto has = [&spec](std::string_view op) {
    return any_node(spec, [op](const boost::json::object& node) { return is_op(node, op); });
  };
  return has("cogroup") && has("windowedBy") &&
         is_told(difference, "failed to initialize processor");
}

/// suppress(), repartition() and group_by_key() of Kafka Streams take an empty name, as a branch
/// does, which names topics and stores "-store" and "-repartition". Here an empty name is none, and
/// a spec that asks for one is refused.
bool has_an_empty_name(const boost::json::object& spec, const Difference& difference) {
  const auto is_empty = [](const boost::json::object& node) {
    const bool takes_it = is_op(node, "suppress") || is_op(node, "repartition") ||
                          is_op(node, "groupByKey") || is_op(node, "split");
    return takes_it && boost::json::serialize(node).find("\"name\":\"\"") != std::string::npos;
  };
  return any_node(spec, is_empty) && is_told(difference, "Name is illegal, it can't be empty");
}

/// A topic that no broker would make: Kafka Streams' driver writes to it all the same. Here its
/// name is looked at where it is given.
bool writes_to_an_impossible_topic(const boost::json::object& spec, const Difference& difference) {
  return any_node(spec, [&](const boost::json::object& node) {
    return is_op(node, "to") && node.contains("topic") &&
           (is_told(difference, "Name is illegal") || is_told(difference, "Name cannot be") ||
            is_told(difference, "is illegal, it contains"));
  });
}

/// Kafka Streams keeps a file of each store on disk that is called as the store is, which not every
/// name can be. Here stores have no files of their own.
bool cannot_be_a_file(const boost::json::object&, const Difference& difference) {
  return is_told(difference, "Error reading checkpoint file") ||
         is_told(difference, "Error writing checkpoint file");
}

/// Where both sides of a join come through one to_stream() with a key of its own, Kafka Streams'
/// optimizer finds no change of key before the repartition topics that it would merge, and fails.
bool gives_up_merging(const boost::json::object&, const Difference& difference) {
  return is_told(difference, "Found a null keyChangingChild node");
}

constexpr std::array kAllowed = {
    AllowedDifference{.section = "error",
                      .reason = "the table of a windowed cogroup is looked up",
                      .applies = looks_up_a_windowed_cogroup},
    AllowedDifference{
        .section = "error", .reason = "an empty name", .applies = has_an_empty_name},
    AllowedDifference{.section = "error",
                      .reason = "a topic that no broker would make",
                      .applies = writes_to_an_impossible_topic},
    AllowedDifference{.section = "error",
                      .reason = "a store's name that no file can have",
                      .applies = cannot_be_a_file},
    AllowedDifference{.section = "error",
                      .reason = "repartition topics that Kafka Streams fails to merge",
                      .applies = gives_up_merging},
    AllowedDifference{
        .section = "outputs", .reason = kSessionTwice, .applies = caches_sessions_in_memory},
    AllowedDifference{
        .section = "stores", .reason = kSessionTwice, .applies = caches_sessions_in_memory},
    AllowedDifference{.section = "outputs",
                      .reason = "a header that is added while a result waits in a cache",
                      .applies = is_marked_while_it_waits},
};

}  // namespace

std::span<const AllowedDifference> allowed_differences() { return kAllowed; }
std::span<const std::string_view> statements_not_built() { return {}; }

}  // namespace thalweg::golden
