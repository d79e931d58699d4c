#include "description.h"

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
ApplicationDescription description_of(const boost::json::value& json, const std::string& origin) {
  auto topology = read_topology(member(json, "topology"));
  if (!topology) throw CommandError(kBadData, origin + ": " + topology.error().message);
  ApplicationDescription description{.application = text_of(json, "application"),
                                     .topology = *std::move(topology)};
  for (const auto& store : array_of(json, "stores")) description.stores.push_back(store_of(store));
  for (const auto& topic : array_of(json, "topics")) {
    description.topics.push_back(topic_of(topic));
    description.topics.back().partitions = number_of(topic, "partitions");
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

bool has_nodes(const boost::json::value& application) {
  return !array_of(member(application, "topology"), "subtopologies").empty();
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
    auto& description = descriptions.emplace_back(description_of(item, "GET /v1/topology"));
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
  for (const auto& item : array_of(*json, "items")) {
    if (has_nodes(item)) descriptions.push_back(description_of(item, origin));
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
