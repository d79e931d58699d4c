#include "golden/allowed_differences.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>

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

constexpr std::array kAllowed = {
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
