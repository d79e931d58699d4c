#include "application_record.h"

#include <stdexcept>

#include <boost/json.hpp>

#include <thalweg/runtime/topology_json.h>
#include <thalweg/schemas/schema_text.h>

#include "query/query_text.h"
#include "query/store_request.h"

// In the journal under `a <application.id>`, beside what the embedded log keeps there
// (embedded/journal_keys.h), as one JSON document.

namespace thalweg::internal {
namespace {

namespace json = boost::json;

constexpr char kPrefix = 'a';

/// Schemas by name, each table's binary schema once.
class SchemaNames {
 public:
  json::value name(const SchemaPtr& schema) {
    if (!schema) return nullptr;
    const auto binary = binary_schema(*schema);
    if (!binary.empty() && !binaries_.contains(schema->name())) {
      std::string text;
      append_base64(binary, false, text);
      binaries_[schema->name()] = std::move(text);
    }
    return json::string(schema->name());
  }
  json::object take() { return std::move(binaries_); }

 private:
  json::object binaries_;
};

std::string document(const std::string& application_id, const Topology& topology,
                     const std::vector<StoreInfo>& infos) {
  SchemaNames names;
  json::array stores;
  for (const auto& info : infos) {
    const auto changelog = topology.changelog(info.name);
    std::string topic;
    if (changelog) {
      topic = changelog->internal ? application_id + "-" + changelog->topic : changelog->topic;
    }
    stores.push_back(json::object{{"name", info.name},
                                  {"type", kind_name(info.kind)},
                                  {"key", names.name(info.key_schema)},
                                  {"value", names.name(info.value_schema)},
                                  {"changelog", topic},
                                  {"partitions", info.partitions}});
  }
  json::object topics;
  for (const auto& [topic, schemas] : topology.topic_schemas()) {
    topics[topic] =
        json::object{{"key", names.name(schemas.key)}, {"value", names.name(schemas.value)}};
  }
  return json::serialize(json::object{{"topology", json::parse(topology.describe().to_json())},
                                      {"stores", std::move(stores)},
                                      {"topics", std::move(topics)},
                                      {"tables", names.take()}});
}

// --- Reading: documents are our own, so what does not fit is damage, which throws ---------------

std::string text(const json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  return found ? std::string(found->as_string()) : std::string();
}

TopologyDescription topology_of(const json::value& noted) {
  auto topology = read_topology(noted);
  if (!topology) throw std::runtime_error(topology.error().message);
  return *std::move(topology);
}

StateStore::Kind read_kind(std::string_view name) {
  using Kind = StateStore::Kind;
  for (const Kind kind : {Kind::kWindow, Kind::kSession, Kind::kVersioned, Kind::kBuffer}) {
    if (kind_name(kind) == name) return kind;
  }
  return Kind::kKeyValue;
}

/// Makes each schema once.
class Schemas {
 public:
  explicit Schemas(const json::object& tables) : tables_(tables) {}

  SchemaPtr get(const json::value& name) {
    if (name.is_null()) return nullptr;
    const std::string key(name.as_string());
    const auto [entry, is_new] = made_.try_emplace(key);
    if (!is_new) return entry->second;
    const auto binary = decode_base64(text(tables_, key));
    return entry->second = schema_of(key, binary.value_or(""));
  }

 private:
  const json::object& tables_;
  std::map<std::string, SchemaPtr> made_;
};

RecordedApplication read_document(std::string application_id, std::string_view document) {
  const auto parsed = json::parse({document.data(), document.size()}).as_object();
  RecordedApplication recorded{.application_id = std::move(application_id),
                               .topology = topology_of(parsed.at("topology"))};
  Schemas schemas(parsed.at("tables").as_object());
  for (const auto& item : parsed.at("stores").as_array()) {
    const auto& store = item.as_object();
    recorded.stores.push_back(
        {.name = text(store, "name"),
         .kind = read_kind(text(store, "type")),
         .key_schema = schemas.get(store.at("key")),
         .value_schema = schemas.get(store.at("value")),
         .changelog = text(store, "changelog"),
         .partitions = static_cast<std::int32_t>(store.at("partitions").as_int64())});
  }
  for (const auto& [topic, item] : parsed.at("topics").as_object()) {
    recorded.topics[std::string(topic)] = {schemas.get(item.at("key")),
                                           schemas.get(item.at("value"))};
  }
  return recorded;
}

}  // namespace

Status record_application(Journal& journal, const std::string& application_id,
                          const Topology& topology, const std::vector<StoreInfo>& stores) {
  const std::string key = kPrefix + application_id;
  std::string noted;
  const auto found = journal.get(key, noted);
  if (!found) return std::unexpected(found.error());
  auto now = document(application_id, topology, stores);
  if (*found && noted == now) return {};
  WriteBatch batch;
  batch.adopt(key, std::move(now));
  if (auto appended = journal.append(batch); !appended) return appended;
  return journal.sync();
}

Result<std::vector<RecordedApplication>> recorded_applications(Journal& journal) {
  std::vector<RecordedApplication> all;
  const auto cursor = journal.scan(std::string(1, kPrefix), std::string(1, kPrefix + 1));
  for (; cursor->valid(); cursor->next()) {
    const std::string application_id(cursor->key().substr(1));
    try {
      all.push_back(read_document(application_id, cursor->value()));
    } catch (const std::exception& error) {
      return failure(ErrorCode::kCorrupt,
                     "what is noted of application " + application_id + ": " + error.what());
    }
  }
  if (auto status = cursor->status(); !status) return std::unexpected(status.error());
  return all;
}

}  // namespace thalweg::internal
