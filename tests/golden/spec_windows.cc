#include <algorithm>
#include <chrono>

#include "golden/spec_options.h"
#include "golden/spec_topology.h"

namespace thalweg::golden {

namespace json = boost::json;

namespace {

using std::chrono::milliseconds;

milliseconds time_of(const json::value& spec, const char* name) {
  return milliseconds(need_number(spec, name));
}

TimeWindows time_windows(const json::value& spec) {
  const auto windows = TimeWindows::of_size_and_grace(time_of(spec, "size"),
                                                      milliseconds(number_or(spec, "grace", 0)));
  return field(spec, "advance") ? windows.advance_by(time_of(spec, "advance")) : windows;
}

/// The options of a windowed table. A supplier of windows knows no other kinds than two.
Materialized<Key, std::int64_t> windowed_options(const json::value& statement,
                                                 milliseconds needed) {
  auto options = materialized(statement);
  const json::value* spec = field(statement, "mat");
  if (!spec) return options;
  if (field(*spec, "retention")) options.retention = time_of(*spec, "retention");
  if (!options.store_supplier) return options;
  if (!options.retention) options.retention = needed;
  options.persistent = text_or(*spec, "type") != "memory";
  options.max_entries.reset();
  options.history_retention.reset();
  return options;
}

}  // namespace

Key shown(const Windowed<Key>& key) {
  return Key(key.key.text() + "@" + std::to_string(to_millis(key.window.start)) + "/" +
             std::to_string(to_millis(key.window.end)));
}

template <typename Streams>
void SpecTopology::windowed_by(const json::value& statement, const Streams& in) {
  const json::value& spec = need(statement, "windows");
  const std::string type = text_or(spec, "type");
  if (type.empty()) throw MissingField("type");
  const auto use = [&](auto serde) {
    windowed_serdes_.insert_or_assign(text_or(statement, "id"),
                                      AnySerde<Windowed<Key>>(std::move(serde)));
  };
  if (type == "time") {
    bind(statement, Windowing{in.windowed_by(time_windows(spec)), time_windows(spec).retention()});
    use(TimeWindowedSerde<Key>(AnySerde<Key>(), time_of(spec, "size")));
  } else if (type == "sliding") {
    const auto windows =
        SlidingWindows::of_time_difference_and_grace(time_of(spec, "diff"), time_of(spec, "grace"));
    bind(statement, Windowing{in.windowed_by(windows), windows.retention()});
    use(TimeWindowedSerde<Key>(AnySerde<Key>(), windows.size()));
  } else if (type == "session") {
    const auto windows =
        SessionWindows::of_inactivity_gap_and_grace(time_of(spec, "gap"), time_of(spec, "grace"));
    bind(statement, Windowing{in.windowed_by(windows), windows.retention()});
    use(SessionWindowedSerde<Key>(AnySerde<Key>()));
  } else if (type == "unlimited") {
    const auto windows = UnlimitedWindows::of().start_on(from_millis(need_number(spec, "start")));
    bind(statement, Windowing{in.windowed_by(windows), windows.retention()});
    use(TimeWindowedSerde<Key>(AnySerde<Key>(), windows.size()));
  } else {
    throw SpecError("no windows of type " + type);
  }
}
template void SpecTopology::windowed_by(const json::value&, const Grouped&);
template void SpecTopology::windowed_by(const json::value&, const Cogrouped&);

void SpecTopology::on_windowing(const json::value& statement, const std::string& op,
                                const Windowing& in) {
  if (op == "emitStrategy") {
    const auto emit = text_or(statement, "emit") == "onWindowClose" ? EmitStrategy::kOnWindowClose
                                                                    : EmitStrategy::kOnWindowUpdate;
    std::visit(
        [&](const auto& stream) {
          if constexpr (requires { stream.emit_strategy(emit); }) {
            bind(statement, Windowing{stream.emit_strategy(emit), in.retention});
          } else {
            throw SpecError("a cogroup has no emit strategy");
          }
        },
        in.stream);
    return;
  }
  const auto options = windowed_options(statement, in.retention);
  std::visit([&](const auto& stream) { aggregate_windows(statement, op, stream, options); },
             in.stream);
}

template <typename Windows>
void SpecTopology::aggregate_windows(const json::value& statement, const std::string& op,
                                     const Windows& in,
                                     const Materialized<Key, std::int64_t>& options) {
  constexpr bool kIsSession = std::is_same_v<Windows, SessionWindowedKStream<Key, Value>>;
  Value init;
  if (field(statement, "init")) init = number_or(statement, "init", 0);
  const auto begin = [init] { return init; };
  const auto merger = [&] {
    return [merge = reducer(need(statement, "merger"))](
               const Key&, const Value& a, const std::int64_t& b) { return merge(a, b); };
  };
  if constexpr (requires { in.count(options); }) {
    if (op == "count") return bind(statement, in.count(options));
    if (op == "reduce") {
      return bind(statement,
                  in.reduce([reduce = reducer(need(statement, "red"))](
                                std::int64_t so_far, const Value& v) { return reduce(so_far, v); },
                            options));
    }
    const auto fold = [fold = aggregator(need(statement, "agg"))](
                          const Key& k, const Value& v, const Value& a) { return fold(k, v, a); };
    if constexpr (kIsSession) {
      bind(statement, in.aggregate(begin, fold, merger(), options));
    } else {
      bind(statement, in.aggregate(begin, fold, options));
    }
  } else if constexpr (requires { in.aggregate(begin, options); }) {
    bind(statement, in.aggregate(begin, options));
  } else {
    bind(statement, in.aggregate(begin, merger(), options));
  }
}

Suppressed SpecTopology::suppressed(const json::value& statement) {
  BufferConfig buffer;
  if (const json::value* spec = field(statement, "buffer")) {
    const auto limit = [spec](const char* name) -> std::optional<std::uint64_t> {
      if (!field(*spec, name)) return std::nullopt;
      return static_cast<std::uint64_t>(std::max<std::int64_t>(number_or(*spec, name, 0), 0));
    };
    buffer.max_records = limit("maxRecords");
    buffer.max_bytes = limit("maxBytes");
    if (text_or(*spec, "full") == "emitEarly") buffer.when_full = BufferFull::kEmitEarly;
    buffer.logging = flag_or(*spec, "logging", true);
  }
  if (text_or(statement, "until") == "windowCloses") {
    return Suppressed::until_window_closes(std::move(buffer), name_of(statement));
  }
  return Suppressed::until_time_limit(time_of(statement, "ms"), std::move(buffer),
                                      name_of(statement));
}

void SpecTopology::on_windowed_table(const json::value& statement, const std::string& op,
                                     const WindowedTable& in) {
  const auto options = [&] { return materialized_as<Windowed<Key>>(statement); };
  if (op == "filter" || op == "filterNot") {
    const auto keep = [keep = predicate(need(statement, "pred"))](const Windowed<Key>& k,
                                                                  const std::int64_t& v) {
      return keep(shown(k), v);
    };
    bind(statement, op == "filter" ? in.filter(keep, options()) : in.filter_not(keep, options()));
  } else if (op == "mapValues") {
    bind(statement, in.map_values([map = value_function(need(statement, "val"))](
                                      const Windowed<Key>& k,
                                      const std::int64_t& v) { return map(shown(k), v); },
                                  options()));
  } else if (op == "suppress") {
    bind(statement, in.suppress(suppressed(statement)));
  } else if (op == "groupBy") {
    group_rows(statement, in);
  } else if (op == "transformValues") {
    transform_values(statement, in);
  } else if (op == "join" || op == "leftJoin" || op == "outerJoin") {
    join_tables(statement, op, in);
  } else if (op == "toStream") {
    const Named named{name_of(statement)};
    if (!field(statement, "key")) return bind(statement, in.to_stream(named));
    const auto key = key_selector<Windowed<Key>>(need(statement, "key"));
    bind(statement, in.to_stream(named).select_key(key));
  } else {
    throw NotBuilt("windowed table " + op);
  }
}

void SpecTopology::group_rows(const json::value& statement, const WindowedTable& in) {
  bind(statement,
       in.group_by([key = key_selector<Windowed<Key>>(need(statement, "key")),
                    value = value_function(need(statement, "val"))](
                       const Windowed<Key>& k,
                       const std::int64_t& v) { return std::pair(key(k, v), value(shown(k), v)); },
                   {.name = name_of(statement)}));
}

}  // namespace thalweg::golden
