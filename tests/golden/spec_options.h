#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include <thalweg/topology/options.h>

#include "golden/spec_functions.h"

namespace thalweg::golden {

// Optional arguments of operators, from a statement.

inline std::string name_of(const boost::json::value& statement) {
  return text_or(statement, "name");
}

/// Throws NotBuilt at fields that would change the meaning and are not understood here.
inline void refuse(const boost::json::value& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (field(object, name)) throw NotBuilt(name);
  }
}

inline Materialized<Key, std::int64_t> materialized(const boost::json::value& statement) {
  Materialized<Key, std::int64_t> options{.name = name_of(statement)};
  const boost::json::value* spec = field(statement, "mat");
  if (!spec) return options;
  refuse(*spec, {"versioned", "supplier", "retention"});
  options.store = text_or(*spec, "name");
  options.logging = flag_or(*spec, "logging", true);
  options.caching = flag_or(*spec, "caching", true);
  options.persistent = text_or(*spec, "type", "rocksdb") != "memory";
  // A Materialized without a name is one all the same.
  if (options.store.empty()) options.value_serde = AnySerde<std::int64_t>();
  return options;
}

template <typename K, typename V>
Consumed<K, V> consumed(const boost::json::value& statement) {
  Consumed<K, V> options{.name = name_of(statement)};
  const std::string extractor = text_or(statement, "extractor", "record");
  if (extractor == "fromValue") {
    options.timestamp_extractor = [](const K&, const V& v, Timestamp record, Timestamp) {
      if constexpr (is_nullable<V>) return v ? from_millis(*v) : record;
      if constexpr (!is_nullable<V>) return from_millis(v);
    };
  } else if (extractor == "partitionTime") {
    options.timestamp_extractor = [](const K&, const V& v, Timestamp record, Timestamp partition) {
      if constexpr (is_nullable<V>) return !v || floor_mod(*v, 3) == 0 ? partition : record;
      if constexpr (!is_nullable<V>) return floor_mod(v, 3) == 0 ? partition : record;
    };
  }
  if (text_or(statement, "reset") == "latest") options.auto_offset_reset = AutoOffsetReset::kLatest;
  return options;
}

}  // namespace thalweg::golden
