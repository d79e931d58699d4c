#pragma once

#include <map>
#include <string>
#include <vector>

#include <thalweg/runtime/streams_application.h>
#include <thalweg/state/storage.h>

namespace thalweg::internal {

// What an application is made of, noted in its directory: the plan, and which schemas its stores
// and topics have. So tools can read what a stopped application left, without its program.

struct RecordedStore {
  std::string name;
  StateStore::Kind kind = StateStore::Kind::kKeyValue;
  SchemaPtr key_schema;    ///< Null: not known any more.
  SchemaPtr value_schema;  ///< Null: not known any more.
  std::string changelog;   ///< The whole name of the topic; empty: logging is off.
  std::int32_t partitions = 0;
};

struct RecordedApplication {
  std::string application_id;
  TopologyDescription topology;
  std::vector<RecordedStore> stores;
  std::map<std::string, Topology::TopicSchemas> topics;
};

/// Notes it, unless that is what is noted already. Blocks until it is durable.
Status record_application(Journal& journal, const std::string& application_id,
                          const Topology& topology, const std::vector<StoreInfo>& stores);

/// What is noted, of every application of the directory. kCorrupt names what cannot be read.
Result<std::vector<RecordedApplication>> recorded_applications(Journal& journal);

}  // namespace thalweg::internal
