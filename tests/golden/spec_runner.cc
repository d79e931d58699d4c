#include "golden/spec_runner.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <typeinfo>
#include <vector>

#include <boost/json/array.hpp>

#include <thalweg/runtime/topology_test_driver.h>

#include "golden/spec_join_stores.h"
#include "golden/spec_stores.h"
#include "golden/spec_topology.h"

namespace thalweg::golden {

namespace json = boost::json;

namespace {

constexpr std::string_view kApplication = "app";

std::string from_hex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  }
  return out;
}

json::value hex_or_null(const std::optional<std::string>& bytes) {
  return bytes ? json::value(hex(*bytes)) : json::value(nullptr);
}

/// The innermost cause's message is not compared, but its class is: the name it has in Java.
std::string cause_of(const std::exception& error) {
  try {
    std::rethrow_if_nested(error);
  } catch (const std::exception& cause) {
    return cause_of(cause);
  }
  if (dynamic_cast<const std::domain_error*>(&error)) return "UserException";
  if (dynamic_cast<const SerdeError*>(&error)) return "SerializationException";
  if (dynamic_cast<const ArithmeticError*>(&error)) return "ArithmeticException";
  if (dynamic_cast<const std::bad_cast*>(&error)) return "ClassCastException";
  if (dynamic_cast<const UnsupportedOperationError*>(&error)) {
    return "UnsupportedOperationException";
  }
  if (dynamic_cast<const TopologyError*>(&error)) return "TopologyException";
  if (dynamic_cast<const std::invalid_argument*>(&error)) return "IllegalArgumentException";
  if (dynamic_cast<const std::logic_error*>(&error)) return "NullPointerException";
  return "StreamsException";
}

std::string class_of(const std::exception& error) {
  if (dynamic_cast<const ProcessorStateError*>(&error)) return "ProcessorStateException";
  if (dynamic_cast<const StreamsError*>(&error)) return "StreamsException";
  if (dynamic_cast<const TopologyError*>(&error)) return "TopologyException";
  if (dynamic_cast<const std::invalid_argument*>(&error)) return "IllegalArgumentException";
  if (dynamic_cast<const MissingField*>(&error)) return "NullPointerException";
  return "Exception";
}

DslStore dsl_store(const json::value& spec) {
  const json::value* config = field(spec, "config");
  const bool in_memory = config && text_or(*config, "store") == "memory";
  return in_memory ? DslStore::kInMemory : DslStore::kRocksDb;
}

class Run {
 public:
  explicit Run(const json::value& spec) : spec_(spec), topology_(dsl_store(spec)) {}

  json::object result() {
    json::object result{{"id", need(spec_, "id")}};
    result["profile"] = text_or(spec_, "profile");
    result["describe"] = nullptr;
    phase_ = "dsl";
    try {
      execute(result);
      result["stores"] = stores();
      result["error"] = nullptr;
    } catch (const SpecError& error) {
      phase_ = "spec";
      result["error"] = failure(error);
    } catch (const std::exception& error) {
      result["error"] = failure(error);
      if (driver_) collect();  // What was committed before it.
    }
    result["outputs"] = std::move(outputs_);
    json::object internal;
    for (auto& [topic, records] : internal_) internal[topic] = std::move(records);
    result["internal"] = std::move(internal);
    if (!result.contains("stores")) result["stores"] = nullptr;
    result["metrics"] = nullptr;
    if (driver_) result["metrics"] = metrics();
    return result;
  }

 private:
  json::object failure(const std::exception& error) const {
    json::object out{{"phase", phase_}, {"class", class_of(error)}, {"cause", cause_of(error)}};
    out["message"] = error.what();
    if (step_ && (phase_ == "dsl" || phase_ == "run")) out["step"] = *step_;
    return out;
  }

  void execute(json::object& result) {
    const json::value empty_config = json::object();
    const json::value* given = field(spec_, "config");
    const json::value& config = given ? *given : empty_config;
    std::int64_t number = 0;
    for (const auto& statement : need(spec_, "nodes").as_array()) {
      step_ = number++;
      topology_.run(statement);
    }
    phase_ = "build";
    Topology topology = topology_.build(
        {.optimization = text_or(config, "optimize", "none"),
         .ensure_explicit_internal_resource_naming = flag_or(config, "explicitNames", false)});
    result["describe"] = topology.describe().to_text();
    for (const SubTopology& subtopology : topology.subtopologies()) {
      for (const std::string& store : subtopology.stores) store_names_.push_back(store);
    }
    for (const GlobalStore& global : topology.global_stores()) {
      store_names_.push_back(global.store);
    }
    phase_ = "init";
    driver_ = std::make_unique<TopologyTestDriver>(std::move(topology), streams_config(config),
                                                   from_millis(number_or(config, "wall", 0)));
    phase_ = "run";
    number = 0;
    const json::value* input = field(spec_, "input");
    if (!input) return;
    for (const auto& step : input->as_array()) {
      step_ = number++;
      pipe(step);
      collect();
    }
  }

  static StreamsConfig streams_config(const json::value& config) {
    StreamsConfig settings;
    settings.application_id = kApplication;
    settings.statestore_cache_max_bytes = static_cast<std::size_t>(number_or(config, "cache", 0));
    settings.max_task_idle = std::chrono::milliseconds(number_or(config, "idle", 0));
    const auto handling = [&config](const char* key) {
      return text_or(config, key, "fail") == "continue" ? FailureHandling::kContinue
                                                        : FailureHandling::kFail;
    };
    settings.deserialization_handler = handling("deserErrors");
    settings.processing_handler = handling("procErrors");
    return settings;
  }

  void pipe(const json::value& step) {
    if (field(step, "advance_wall_clock_ms")) {
      driver_->advance_wall_clock_time(
          std::chrono::milliseconds(number_or(step, "advance_wall_clock_ms", 0)));
      return;
    }
    std::optional<std::string> key;
    std::optional<std::string> value;
    if (field(step, "key_hex")) {
      key = from_hex(text_or(step, "key_hex"));
    } else if (field(step, "key")) {
      key = text_or(step, "key");
    }
    if (field(step, "value_hex")) {
      value = from_hex(text_or(step, "value_hex"));
    } else if (field(step, "value")) {
      Serde<std::int64_t>::serialize(number_or(step, "value", 0), value.emplace());
    }
    Headers headers;
    if (const json::value* pairs = field(step, "headers")) {
      for (const auto& pair : pairs->as_array()) {
        const auto& parts = pair.as_array();
        std::optional<std::string> text;
        if (!parts.at(1).is_null()) text = std::string(parts.at(1).as_string());
        headers.add(std::string(parts.at(0).as_string()), std::move(text));
      }
    }
    if (key) keys_seen_.insert(*key);
    driver_->pipe(text_or(step, "topic"), std::move(key), std::move(value),
                  from_millis(number_or(step, "ts", 0)), headers);
  }

  /// Takes what was produced since the last call, in the order in which it was sent.
  void collect() {
    std::vector<std::pair<std::string, TopologyTestDriver::Produced>> records;
    for (const std::string& topic : driver_->produced_topic_names()) {
      auto* produced = driver_->produced(topic);
      for (auto& record : *produced) records.emplace_back(topic, std::move(record));
      produced->clear();
    }
    std::ranges::sort(records, {}, [](const auto& record) { return record.second.sequence; });
    for (const auto& [topic, record] : records) {
      if (record.key) keys_seen_.insert(*record.key);
      if (topic.starts_with(std::string(kApplication) + "-")) {
        internal_[topic].push_back(internal_record(record));
      } else {
        outputs_.push_back(output_record(topic, record));
      }
    }
  }

  json::object output_record(const std::string& topic, const TopologyTestDriver::Produced& record) {
    json::object out{{"i", *step_}, {"topic", topic}, {"key", nullptr}, {"value", nullptr}};
    if (record.key) {
      const bool is_windowed = topology_.windowed_topics().contains(topic);
      out["key"] = is_windowed ? "hex:" + hex(*record.key) : *record.key;
    }
    if (record.value) {
      std::int64_t number = 0;
      Serde<std::int64_t>::deserialize(*record.value, number);
      out["value"] = number;
    }
    out["ts"] = to_millis(record.timestamp);
    if (record.headers.empty()) return out;
    json::array headers;
    for (const Header& header : record.headers) {
      headers.push_back(
          json::array{header.key, header.value ? json::value(*header.value) : nullptr});
    }
    out["headers"] = std::move(headers);
    return out;
  }

  json::object internal_record(const TopologyTestDriver::Produced& record) {
    json::object out{{"i", *step_}};
    out["k"] = hex_or_null(record.key);
    out["v"] = hex_or_null(record.value);
    out["ts"] = nullptr;
    if (record.timestamp != kNoTimestamp) out["ts"] = to_millis(record.timestamp);
    if (record.headers.empty()) return out;
    json::array headers;
    for (const Header& header : record.headers) {
      headers.push_back(json::array{header.key, hex_or_null(header.value)});
    }
    out["h"] = std::move(headers);
    return out;
  }

  json::object metrics() const {
    json::object out;
    for (const auto& [name, count] : driver_->metrics()) out[name] = count;
    return out;
  }

  json::object stores() {
    json::object out;
    std::ranges::sort(store_names_);
    for (const std::string& name : store_names_) {
      if (auto special = show_join_store(driver_->store(name), keys_seen_)) {
        out[name] = *std::move(special);
        continue;
      }
      const auto kind = topology_.store_kinds().find(name);
      const bool is_plain = keeps_joined_records(name) ||
                            (kind != topology_.store_kinds().end() && kind->second == "window");
      if (json::object shown = windowed_store(driver_->store(name), !is_plain); !shown.empty()) {
        out[name] = std::move(shown);
        continue;
      }
      const bool plain = kind != topology_.store_kinds().end() && kind->second == "kv";
      json::array entries;
      auto& store = driver_->key_value_store<Key, std::int64_t>(name);
      for (auto entry = store.all(); entry->valid(); entry->next()) {
        json::array shown{entry->key().text(), entry->value().value};
        if (!plain) shown.push_back(to_millis(entry->value().timestamp));
        entries.push_back(std::move(shown));
      }
      out[name] = json::object{{"type", plain ? "kv" : "tskv"}, {"entries", std::move(entries)}};
    }
    return out;
  }

  const json::value& spec_;
  SpecTopology topology_;
  std::unique_ptr<TopologyTestDriver> driver_;
  std::vector<std::string> store_names_;
  std::set<std::string> keys_seen_;  // Serialised.
  std::string phase_;
  std::optional<std::int64_t> step_;
  json::array outputs_;
  std::map<std::string, json::array> internal_;
};

}  // namespace

json::object run_spec(const json::value& spec) { return Run(spec).result(); }

}  // namespace thalweg::golden
