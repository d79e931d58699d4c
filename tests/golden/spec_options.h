#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <thalweg/topology/errors.h>
#include <thalweg/topology/options.h>

#include "golden/spec_functions.h"
#include "golden/spec_topology.h"

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

template <typename K>
StreamPartitioner<K, Value> partitioner(const boost::json::value& statement) {
  const boost::json::value* spec = field(statement, "partitioner");
  if (!spec) return {};
  const std::string kind = text_or(*spec, "p");
  if (kind == "zero") return [](const K&, const Value&, std::int32_t) { return 0; };
  if (kind == "default") {
    return [](const K&, const Value&, std::int32_t) { return Partitions::by_key(); };
  }
  return [m = number_or(*spec, "m", 1), r = number_or(*spec, "r", 0)](const K&, const Value& v,
                                                                      std::int32_t) -> Partitions {
    return v && floor_mod(*v, m) == r ? Partitions::none() : 0;
  };
}

/// Kafka Streams' suppliers refuse these at once, where here it is the store's builder.
inline void check_store_spec(const boost::json::value& spec) {
  const auto refuse_below = [&spec](const char* name, std::int64_t least) {
    if (field(spec, name) && number_or(spec, name, 0) < least) {
      throw std::invalid_argument(std::string(name) + " is less than " + std::to_string(least));
    }
  };
  refuse_below("retention", 0);
  refuse_below("versioned", 0);
  if (field(spec, "versioned")) return refuse_below("segment", 1);
  if (text_or(spec, "type") == "lru") refuse_below("max", 0);
}

inline Materialized<Key, std::int64_t> materialized(const boost::json::value& statement) {
  Materialized<Key, std::int64_t> options{.name = name_of(statement)};
  const boost::json::value* spec = field(statement, "mat");
  if (!spec) return options;
  if (field(*spec, "versioned")) {
    if (!field(*spec, "name")) throw MissingField("name");
    options.history_retention = std::chrono::milliseconds(number_or(*spec, "versioned", 0));
    if (field(*spec, "segment")) {
      options.segment_interval = std::chrono::milliseconds(number_or(*spec, "segment", 0));
    }
  }
  check_store_spec(*spec);
  options.store_supplier = field(*spec, "versioned") || flag_or(*spec, "supplier", false);
  options.store = options.store_supplier ? text_or(*spec, "name") : name_of(*spec);
  options.logging = flag_or(*spec, "logging", true);
  options.caching = flag_or(*spec, "caching", true);
  const std::string type = text_or(*spec, "type");
  if (options.store_supplier) {
    const bool is_lru = type == "lru" && !options.history_retention;
    options.persistent = options.history_retention || (type != "memory" && !is_lru);
    if (is_lru) options.max_entries = number_or(*spec, "max", 1);
    options.timestamps = !*options.persistent || !flag_or(*spec, "plain", false);
  } else if (!type.empty()) {
    options.persistent = type != "memory";
  }
  // A Materialized without a name is one all the same.
  if (options.store.empty() && !options.store_supplier) {
    options.value_serde = AnySerde<std::int64_t>();
  }
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
            .persistent = plain.persistent,
            .max_entries = plain.max_entries,
            .timestamps = plain.timestamps,
            .history_retention = plain.history_retention,
            .segment_interval = plain.segment_interval,
            .store_supplier = plain.store_supplier};
  }
}

template <typename K>
auto predicate_of(const boost::json::value& spec) {
  return [keep = predicate(spec)](const K& k, const Value& v) { return keep(shown(k), v); };
}

/// The key that a selector makes of a plain or a windowed one.
template <typename K>
auto key_selector(const boost::json::value& spec) {
  if constexpr (std::is_same_v<K, Key>) {
    return key_function(spec);
  } else {
    const bool is_inner = text_or(spec, "fn") == "innerKey";
    return [is_inner, select = key_function(spec)](const K& k, const Value& v) {
      return is_inner ? k.key : select(shown(k), v);
    };
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
