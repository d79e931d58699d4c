#include "description.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include <thalweg/runtime/json_text.h>
#include <thalweg/runtime/topology_json.h>

#include "context.h"
#include "exit_codes.h"
#include "json_fields.h"
#include "server.h"

namespace thalweg::cli {
namespace {

StoreShape store_of(const boost::json::value& json) {
  return {.name = text_of(json, "name"),
          .type = text_of(json, "type"),
          .key_schema = text_of(json, "key_schema"),
          .value_schema = text_of(json, "value_schema"),
          .partitions = number_of(json, "partitions")};
}

/// As GET /v1/topics tells it: with a list of partitions.
TopicShape topic_of(const boost::json::value& json) {
  return {.name = text_of(json, "name"),
          .partitions = static_cast<std::int64_t>(array_of(json, "partitions").size()),
          .cleanup_policy = text_of(json, "cleanup_policy"),
          .retention_ms = number_of(json, "retention_ms", -1)};
}

/// Throws CommandError that names `origin` when its topology is none.
TopologyDescription topology_of(const boost::json::value& json, const std::string& origin) {
  auto topology = read_topology(member(json, "topology"));
  if (!topology) throw CommandError(kBadData, origin + ": " + topology.error().message);
  return *std::move(topology);
}

/// A value of a document, and where it is there: "items[0].stores[2]". What the document leaves out
/// is not known; what is of another kind than `describe --json` writes throws CommandError, as a
/// damaged document must not pass for one without changes.
class Part {
 public:
  Part(const boost::json::value& value, std::string place)
      : value_(value), place_(std::move(place)) {}

  const boost::json::value& value() const { return value_; }
  const std::string& place() const { return place_; }

  [[noreturn]] void refuse(const std::string& why) const {
    throw CommandError(kBadData, place_ + ' ' + why,
                       "`thalweg describe --json > FILE` writes what is compared");
  }

  /// A member that has to be there, and must not be empty.
  std::string name(std::string_view member) const {
    auto text = this->text(member);
    if (text.empty()) refuse("has no " + std::string(member));
    return text;
  }
  std::string text(std::string_view member) const {
    const auto* found = find(member);
    if (!found) return {};
    if (!found->is_string()) at(member).refuse("is not text");
    return std::string(found->get_string());
  }
  std::int64_t number(std::string_view member, std::int64_t least, std::int64_t otherwise) const {
    const auto* found = find(member);
    if (!found) return otherwise;
    if (!found->is_int64() || found->get_int64() < least) {
      at(member).refuse("is not a whole number from " + std::to_string(least));
    }
    return found->get_int64();
  }
  std::vector<Part> list(std::string_view member) const {
    std::vector<Part> parts;
    const auto* found = find(member);
    if (!found) return parts;
    if (!found->is_array()) at(member).refuse("is not a list");
    for (const auto& item : found->get_array()) {
      parts.emplace_back(item, at(member).place_ + '[' + std::to_string(parts.size()) + ']');
    }
    return parts;
  }
  Part at(std::string_view member) const {
    const bool outermost = place_.ends_with(": ");
    return {cli::member(value_, member), place_ + (outermost ? "" : ".") + std::string(member)};
  }

 private:
  const boost::json::value* find(std::string_view member) const {
    if (!value_.is_object()) refuse("is not an object");
    return find_member(value_, member);
  }

  const boost::json::value& value_;
  std::string place_;
};

StoreShape read_store(const Part& store) {
  return {.name = store.name("name"),
          .type = store.text("type"),
          .key_schema = store.text("key_schema"),
          .value_schema = store.text("value_schema"),
          .partitions = store.number("partitions", 0, 0)};
}

TopicShape read_topic(const Part& topic) {
  return {.name = topic.name("name"),
          .partitions = topic.number("partitions", 0, 0),
          .cleanup_policy = topic.text("cleanup_policy"),
          .retention_ms = topic.number("retention_ms", -1, -1)};
}

ApplicationDescription read_application(const Part& application) {
  ApplicationDescription description{
      .application = application.name("application"),
      .topology = topology_of(application.value(), application.place())};
  for (const auto& store : application.list("stores")) {
    description.stores.push_back(read_store(store));
  }
  for (const auto& topic : application.list("topics")) {
    description.topics.push_back(read_topic(topic));
  }
  return description;
}

boost::json::object json_of(const StoreShape& store) {
  return {{"name", store.name},
          {"type", store.type},
          {"key_schema", store.key_schema},
          {"value_schema", store.value_schema},
          {"partitions", store.partitions}};
}

boost::json::object json_of(const TopicShape& topic) {
  return {{"name", topic.name},
          {"partitions", topic.partitions},
          {"cleanup_policy", topic.cleanup_policy},
          {"retention_ms", topic.retention_ms}};
}

boost::json::object json_of(const ApplicationDescription& description) {
  boost::json::array stores;
  for (const auto& store : description.stores) stores.push_back(json_of(store));
  boost::json::array topics;
  for (const auto& topic : description.topics) topics.push_back(json_of(topic));
  return {{"application", description.application},
          {"topology", boost::json::parse(description.topology.to_json())},
          {"stores", std::move(stores)},
          {"topics", std::move(topics)}};
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) {
    throw CommandError(kUnknownName, "cannot read " + path,
                       "name a file that `thalweg describe --json` wrote, or http://HOST:PORT");
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::vector<ApplicationDescription> describe_server(Server& server,
                                                    const std::string& application) {
  const auto topologies =
      server.get_json(Target({"v1", "topology"}).with_any("application", application));
  const auto stores =
      server.get_json(Target({"v1", "stores"}).with_any("application", application));
  const auto topics = server.get_json(Target({"v1", "topics"}));
  std::vector<ApplicationDescription> descriptions;
  for (const auto& item : array_of(topologies, "items")) {
    auto& description = descriptions.emplace_back();
    description.application = text_of(item, "application");
    description.topology = topology_of(item, "GET /v1/topology");
    for (const auto& store : array_of(stores, "items")) {
      if (text_of(store, "application") != description.application) continue;
      description.stores.push_back(store_of(store));
    }
    for (const auto& topic : array_of(topics, "items")) {
      const bool own = flag_of(topic, "internal") &&
                       text_of(topic, "name").starts_with(description.application + '-');
      if (own) description.topics.push_back(topic_of(topic));
    }
  }
  return descriptions;
}

boost::json::value to_json(const std::vector<ApplicationDescription>& descriptions) {
  boost::json::array items;
  for (const auto& description : descriptions) items.push_back(json_of(description));
  return boost::json::object{{"items", std::move(items)}};
}

std::vector<ApplicationDescription> read_descriptions(const std::string& text,
                                                      const std::string& origin) {
  const auto json = parse_json(text);
  if (!json) {
    throw CommandError(kBadData, origin + " is no JSON: " + json.error().message,
                       "`thalweg describe --json > FILE` writes what is compared");
  }
  std::vector<ApplicationDescription> descriptions;
  const Part document(*json, origin + ": ");
  for (const auto& item : json->is_object() ? document.list("items") : std::vector<Part>()) {
    auto description = read_application(item);
    if (description.topology.subtopologies.empty()) continue;
    const bool again = std::ranges::any_of(descriptions, [&](const auto& other) {
      return other.application == description.application;
    });
    if (again) item.refuse("is the application " + description.application + " once more");
    descriptions.push_back(std::move(description));
  }
  if (descriptions.empty()) {
    throw CommandError(kBadData, origin + " describes no application",
                       "`thalweg describe --json > FILE` writes what is compared");
  }
  return descriptions;
}

std::vector<ApplicationDescription> descriptions_at(const std::string& place,
                                                    const Context& context) {
  if (place.starts_with("http://") || place.starts_with("https://")) {
    Server server(place, context.token);
    return describe_server(server, context.application);
  }
  const bool input = place == "-";
  const std::string text =
      input ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : read_file(place);
  auto all = read_descriptions(text, input ? "standard input" : place);
  if (context.application.empty()) return all;
  std::erase_if(all, [&](const auto& one) { return one.application != context.application; });
  if (!all.empty()) return all;
  throw CommandError(kUnknownName, place + " describes no application " + context.application);
}

}  // namespace thalweg::cli
