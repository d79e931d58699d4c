#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <thalweg/state/versioned_key_value_store.h>
#include <thalweg/topology/errors.h>
#include <thalweg/topology/processor.h>

#include "golden/spec_functions.h"
#include "golden/spec_probes.h"
#include "golden/spec_topology.h"

namespace thalweg::golden {

/// What a processor of the spec language is made of.
struct ProcessorSpec {
  boost::json::value parameters;
  std::string store = {};
  bool has_store = false;
  bool timestamped = false;     ///< Whether values of the store show their timestamps.
  std::string store_kind = {};  ///< As in the spec; empty for a table's store.
};

/// The processor library of the spec language, on a Processor or a FixedKeyProcessor.
template <typename Base>
class SpecProcessor final : public Base {
 public:
  using K = typename Base::InputKey;
  static constexpr bool kFixedKey = std::is_same_v<Base, FixedKeyProcessor<K, Value>>;
  static constexpr bool kIsWindowed = !std::is_same_v<K, Key>;
  using Context = std::conditional_t<kFixedKey, FixedKeyProcessorContext<K, Value>,
                                     ProcessorContext<K, Value>>;
  using Store = KeyValueStore<Key, std::int64_t>;
  using Ref = RecordRef<K, Value>;

  explicit SpecProcessor(ProcessorSpec spec)
      : spec_(std::move(spec)), kind_(text_or(spec_.parameters, "p")) {}

  void init(Context& context) override {
    Base::init(context);
    if (spec_.has_store) {
      if (spec_.store_kind == "window" || spec_.store_kind == "tswindow") {
        windows_ = &context.template window_store<Key, std::int64_t>(spec_.store);
      } else if (spec_.store_kind == "session") {
        sessions_ = &context.template session_store<Key, std::int64_t>(spec_.store);
      } else if (spec_.store_kind == "versioned") {
        versions_ = &context.template versioned_key_value_store<Key, std::int64_t>(spec_.store);
      } else {
        store_ = &context.template key_value_store<Key, std::int64_t>(spec_.store);
      }
    }
    if (kind_ == "punct" || kind_ == "tick") {
      const bool wall = text_or(spec_.parameters, "type", "stream") == "wall";
      schedule_ = context.schedule(
          std::chrono::milliseconds(need(spec_.parameters, "every").to_number<std::int64_t>()),
          wall ? PunctuationType::kWallClockTime : PunctuationType::kStreamTime,
          [this](Timestamp time) { punctuate(time); });
    }
  }

  void process(const Ref& record) override {
    if (stateless(record)) return;
    if constexpr (!kIsWindowed) {
      if (record.key.is_null()) return same(record, record.value);
    }
    if (windows_ || sessions_) return windowed(record);
    if (versions_) return versioned(record);
    stateful(record);
  }

 private:
  // --- Output -------------------------------------------------------------------------------

  void same(const Ref& record, const Value& value) {
    emit(record, value, record.timestamp, record.headers);
  }
  void emit(const Ref& record, const Value& value, Timestamp timestamp, const Headers& headers) {
    if constexpr (kFixedKey) {
      this->context().forward(value, timestamp, headers);
    } else {
      this->context().forward(record.key, value, timestamp, headers);
    }
  }
  void fresh(const Key& key, std::int64_t value, Timestamp time) {
    if constexpr (kIsWindowed) {
      throw std::bad_cast();  // It has plain keys, and those behind it want windowed ones.
    } else if constexpr (!kFixedKey) {
      this->context().forward(key, value, time, kNoHeaders);
    }
  }
  void with_header(const Ref& record, std::string name, std::string text, const Value& value) {
    record.headers.add(std::move(name), std::move(text));
    same(record, value);
  }

  // --- Without state ------------------------------------------------------------------------

  bool stateless(const Ref& record) {
    if (kind_ == "pass" || kind_ == "tick") {
      same(record, record.value);
    } else if (kind_ == "tag") {
      with_header(record, "p", text_or(spec_.parameters, "v"), record.value);
    } else if (kind_ == "shiftTs") {
      const std::chrono::milliseconds by(number_or(spec_.parameters, "d", 0));
      emit(record, record.value, record.timestamp + by, record.headers);
    } else if (kind_ == "meta") {
      const RecordMetadata& metadata = this->context().task().metadata();
      with_header(record, "t", metadata.topic.empty() ? "-" : std::string(metadata.topic),
                  metadata.offset);
    } else if (kind_ == "times") {
      TaskContext& task = this->context().task();
      same(record, mix(to_millis(task.stream_time()), to_millis(task.wall_clock_time())));
    } else if (kind_ == "fan") {
      const std::int64_t n = number_or(spec_.parameters, "n", 2);
      for (std::int64_t i = 0; i < n; ++i) {
        same(record, record.value ? Value(wrap_add(*record.value, i)) : Value());
      }
    } else if (kind_ == "route") {
      route(record);
    } else {
      return false;
    }
    return true;
  }

  void route(const Ref& record) {
    if constexpr (!kFixedKey) {
      const auto& children = need(spec_.parameters, "children").as_array();
      const auto chosen =
          floor_mod(record.value.value_or(0), static_cast<std::int64_t>(children.size()));
      const std::string child(children[static_cast<std::size_t>(chosen)].as_string());
      this->context().forward(record.key, record.value, record.timestamp, record.headers, child);
    }
  }

  // --- With a store -------------------------------------------------------------------------

  void stateful(const Ref& record) {
    if (!store_) throw std::logic_error("processor " + kind_ + " has no store");
    const Key& key = shown(record.key);
    if (kind_ == "dedup") {
      if (store_->get(key)) return;
      store_->put(key, record.value.value_or(0));
      same(record, record.value);
    } else if (kind_ == "sum" || kind_ == "sumTs") {
      sum(record, key);
    } else if (kind_ == "punct") {
      if (record.value) {
        store_->put(key, *record.value);
      } else {
        store_->remove(key);
      }
    } else if (kind_ == "tableGet") {
      same(record, mix(record.value.value_or(-1), read(store_->get_with_timestamp(key))));
    } else if (kind_ == "kvProbe") {
      const std::int64_t u = record.value.value_or(0);
      std::int64_t operation = floor_mod(u, 10);
      if (operation == 7 && key.text().empty()) operation = 8;
      same(record, mix(operation, probe(key, operation, u)));
    } else {
      throw SpecError("unknown processor " + kind_);
    }
  }

  void windowed(const Ref& record) {
    const WindowProbe probe(spec_.parameters, spec_.timestamped);
    const Key& key = shown(record.key);
    const std::int64_t u = record.value.value_or(0);
    if (kind_ == "winDedup" && windows_) {
      if (!probe.seen(*windows_, key, u, record.timestamp)) same(record, record.value);
    } else if (kind_ == "winProbe" && windows_) {
      same(record,
           mix(floor_mod(u, 12), probe.windows(*windows_, key, u, record.timestamp)));
    } else if (kind_ == "sesProbe" && sessions_) {
      same(record,
           mix(floor_mod(u, 10), probe.sessions(*sessions_, key, u, record.timestamp)));
    } else {
      throw SpecError("processor " + kind_ + " needs another store");
    }
  }

  void versioned(const Ref& record) {
    const Key& key = shown(record.key);
    if (kind_ == "tableGet") {
      const auto got = versions_->get(key);
      return same(record, mix(record.value.value_or(-1), got ? *got.value : -1));
    }
    if (kind_ != "ver") throw SpecError("processor " + kind_ + " needs another store");
    std::int64_t before = -1;
    if (const auto got = versions_->get(key, record.timestamp)) {
      before = mix(*got.value, to_millis(got.timestamp));
    }
    const VersionedPut put = versions_->put(key, record.value, record.timestamp);
    std::int64_t answer = std::numeric_limits<std::int64_t>::min();
    if (put.is_put) answer = put.valid_to ? to_millis(*put.valid_to) : -1;
    same(record, mix(before, answer));
  }

  void sum(const Ref& record, const Key& key) {
    if (!record.value) {
      store_->remove(key);
      return same(record, std::nullopt);
    }
    const auto* old = store_->get_with_timestamp(key);
    const std::int64_t sum = wrap_add(old ? old->value : 0, *record.value);
    if (kind_ == "sum") {
      store_->put(key, sum);
      return same(record, sum);
    }
    const Timestamp time = old ? std::max(record.timestamp, old->timestamp) : record.timestamp;
    store_->put(key, sum, time, record.headers);
    emit(record, sum, time, record.headers);
  }

  std::int64_t read(const ValueAndTimestamp<std::int64_t>* entry) const {
    if (!entry) return -1;
    return spec_.timestamped ? mix(entry->value, to_millis(entry->timestamp)) : entry->value;
  }

  std::int64_t digest(std::unique_ptr<KeyValueIterator<Key, std::int64_t>> entries) {
    std::int64_t hash = 17;
    for (; entries->valid(); entries->next()) {
      hash = mix(mix(hash, key_hash(entries->key())), read(&entries->value()));
    }
    return hash;
  }

  std::int64_t probe(const Key& key, std::int64_t operation, std::int64_t u) {
    const auto entry = [&] { return read(store_->get_with_timestamp(key)); };
    switch (operation) {
      case 0:
        store_->put(key, u);
        return 0;
      case 1: {
        const std::int64_t old = entry();
        store_->put_if_absent(key, u);
        return old;
      }
      case 2: {
        const std::int64_t old = entry();
        store_->remove(key);
        return old;
      }
      case 3:
        return digest(store_->range(key, std::nullopt));
      case 4:
        return digest(store_->range(std::nullopt, key, true));
      case 5:
        return digest(store_->all());
      case 6:
        store_->put_all({{key, u}, {Key(key.text() + "x"), wrap_add(u, 1)}});
        return 0;
      case 7:
        return digest(store_->prefix_scan(key.text()));
      case 8:
        return entry();
      default:
        return digest(store_->all(true));
    }
  }

  // --- Punctuation --------------------------------------------------------------------------

  void punctuate(Timestamp time) {
    ++fired_;
    if (kind_ == "tick") {
      fresh(Key("tick"), fired_, time);
    } else {
      std::vector<std::pair<Key, std::int64_t>> all;
      for (auto entries = store_->all(); entries->valid(); entries->next()) {
        all.emplace_back(entries->key(), entries->value().value);
      }
      for (const auto& [key, value] : all) {
        fresh(key, value, time);
        if (flag_or(spec_.parameters, "clear", false)) store_->remove(key);
      }
    }
    const std::int64_t most = number_or(spec_.parameters, "max", -1);
    if (most >= 0 && fired_ >= most) schedule_.cancel();
  }

  ProcessorSpec spec_;
  std::string kind_;
  Store* store_ = nullptr;
  WindowStore<Key, std::int64_t>* windows_ = nullptr;
  SessionStore<Key, std::int64_t>* sessions_ = nullptr;
  VersionedKeyValueStore<Key, std::int64_t>* versions_ = nullptr;
  Cancellable schedule_;
  std::int64_t fired_ = 0;
};

}  // namespace thalweg::golden
