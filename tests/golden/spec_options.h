#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>

#include <thalweg/topology/errors.h>
#include <thalweg/topology/options.h>

#include "golden/spec_functions.h"

namespace thalweg::golden {

// Optional arguments of operators, from a statement.

/// Kafka Streams refuses an empty name, where here it means none.
inline std::string name_of(const boost::json::value& statement) {
  std::string name = text_or(statement, "name");
  if (name.empty() && field(statement, "name")) {
    throw TopologyError("Name is illegal, it can't be empty");
  }
  return name;
}

/// Throws NotBuilt at fields that would change the meaning and are not understood here.
inline void refuse(const boost::json::value& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (field(object, name)) throw NotBuilt(name);
  }
}

inline StreamPartitioner<Key, Value> partitioner(const boost::json::value& statement) {
  const boost::json::value* spec = field(statement, "partitioner");
  if (!spec) return {};
  const std::string kind = text_or(*spec, "p");
  if (kind == "zero") return [](const Key&, const Value&, std::int32_t) { return 0; };
  if (kind == "default") {
    return [](const Key&, const Value&, std::int32_t) { return Partitions::by_key(); };
  }
  return [m = number_or(*spec, "m", 1), r = number_or(*spec, "r", 0)](const Key&, const Value& v,
                                                                      std::int32_t) -> Partitions {
    return v && floor_mod(*v, m) == r ? Partitions::none() : 0;
  };
}

inline Materialized<Key, std::int64_t> materialized(const boost::json::value& statement) {
  Materialized<Key, std::int64_t> options{.name = name_of(statement)};
  const boost::json::value* spec = field(statement, "mat");
  if (!spec) return options;
  if (field(*spec, "versioned")) {
    options.history_retention = std::chrono::milliseconds(number_or(*spec, "versioned", 0));
    if (field(*spec, "segment")) {
      options.segment_interval = std::chrono::milliseconds(number_or(*spec, "segment", 0));
    }
  }
  refuse(*spec, {"retention"});
  options.store = name_of(*spec);
  options.logging = flag_or(*spec, "logging", true);
  options.caching = flag_or(*spec, "caching", true);
  const std::string type = text_or(*spec, "type");
  // A supplier has its kind of store, whatever the builder was told.
  if (!type.empty() || flag_or(*spec, "supplier", false)) {
    options.persistent = type.empty() || type == "rocksdb";
  }
  if (type == "lru") options.max_entries = number_or(*spec, "max", 1);
  options.timestamps = !flag_or(*spec, "plain", false);
  // A Materialized without a name is one all the same.
  if (options.store.empty()) options.value_serde = AnySerde<std::int64_t>();
  return options;
}

/// The same for a table whose keys may be windowed.
template <typename K>
Materialized<K, std::int64_t> materialized_as(const boost::json::value& statement) {
  const auto plain = materialized(statement);
  if constexpr (std::is_same_v<K, Key>) {
    return plain;
  } else {
    return {.name = plain.name,
            .store = plain.store,
            .value_serde = plain.value_serde,
            .logging = plain.logging,
            .caching = plain.caching,
            .persistent = plain.persistent};
  }
}

inline Consumed<Key, Value> consumed(const boost::json::value& statement) {
  Consumed<Key, Value> options{.name = name_of(statement)};
  const std::string extractor = text_or(statement, "extractor", "record");
  if (extractor == "skip") {
    options.timestamp_extractor = LogAndSkipOnInvalidTimestamp{};
  } else if (extractor == "fromValue") {
    options.timestamp_extractor = [](const Key&, const Value& v, Timestamp record, Timestamp) {
      return v ? from_millis(*v) : record;
    };
  } else if (extractor == "partitionTime") {
    options.timestamp_extractor = [](const Key&, const Value& v, Timestamp record,
                                     Timestamp partition) {
      return !v || floor_mod(*v, 3) == 0 ? partition : record;
    };
  }
  const auto reset = text_or(statement, "reset");
  if (reset == "earliest") options.auto_offset_reset = AutoOffsetReset::earliest();
  if (reset == "latest") options.auto_offset_reset = AutoOffsetReset::latest();
  if (reset == "none") options.auto_offset_reset = AutoOffsetReset::none();
  return options;
}

}  // namespace thalweg::golden
