#include "peer/topologies.h"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include <thalweg/state/stores.h>
#include <thalweg/topology/kgrouped_stream.h>
#include <thalweg/topology/kstream.h>
#include <thalweg/topology/ktable.h>
#include <thalweg/topology/streams_builder.h>
#include <thalweg/topology/time_windowed_kstream.h>
#include <thalweg/topology/windows.h>

#include "peer/blob.h"
#include "peer/nexmark.h"
#include "peer/saga.h"
#include "peer/shuffle.h"

namespace thalweg::bench {
namespace {

using namespace std::chrono_literals;
using Blob = std::string;

KStream<std::string, Blob> counted(StreamsBuilder& builder, const std::string& topic,
                                   Progress& progress) {
  return builder.stream<std::string, Blob>(topic).peek(
      [&progress](const std::string&, const Blob&) { progress.count_in(); });
}

void map(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  builder.stream<std::string, Blob>(settings.inputs.at(0))
      .filter([&progress](const std::string&, const Blob& value) {
        progress.count_in();
        return read_i64(value, 0) % 10 != 0;
      })
      .map_values([](const Blob& value) {
        Blob changed = value;
        write_i64(changed, 0, read_i64(value, 0) + 1);
        return changed;
      })
      .to(settings.output);
}

void count(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  counted(builder, settings.inputs.at(0), progress)
      .group_by_key()
      .count({.store = "counts"})
      .to_stream()
      .to(settings.output);
}

void window(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  counted(builder, settings.inputs.at(0), progress)
      .group_by_key()
      .windowed_by(TimeWindows::of_size_with_no_grace(1min))
      .count({.store = "wcounts"})
      .to_stream()
      .to(settings.output);
}

void hopping_window(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  counted(builder, settings.inputs.at(0), progress)
      .group_by_key()
      .windowed_by(TimeWindows::of_size_with_no_grace(10min).advance_by(10s))
      .count({.store = "wcounts"})
      .to_stream()
      .to(settings.output);
}

void stream_table_join(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  const auto table =
      builder.table<std::string, Blob>(settings.inputs.at(1), {}, {.store = "table"});
  counted(builder, settings.inputs.at(0), progress)
      .join(table, [](const Blob& left,
                      const Blob& right) { return pair_of(read_i64(left, 0), read_i64(right, 0)); })
      .to(settings.output);
}

void stream_stream_join(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  const auto other = counted(builder, settings.inputs.at(1), progress);
  counted(builder, settings.inputs.at(0), progress)
      .join(other,
            [](const Blob& left, const Blob& right) {
              return pair_of(read_i64(left, 0), read_i64(right, 0));
            },
            JoinWindows::of_time_difference_and_grace(10s, 5s), {.stores = {.name = "ss"}})
      .to(settings.output);
}

void repartition(StreamsBuilder& builder, const PeerSettings& settings, Progress& progress) {
  counted(builder, settings.inputs.at(0), progress)
      .select_key([](const std::string&, const Blob& value) {
        return "g" + std::to_string(read_i32(value, 8));
      })
      .group_by_key({.name = "bygroup"})
      .aggregate([] { return std::int64_t{0}; },
                 [&progress](const std::string&, const Blob& value, std::int64_t sum) {
                   progress.done.add();
                   return sum + read_i64(value, 0);
                 },
                 {.store = "sums"})
      .to_stream()
      .to(settings.output);
}

/// Fills a store whose changelog is there already.
class Keeper final : public Processor<std::string, Blob> {
 public:
  void init(ProcessorContext<std::string, Blob>& context) override {
    Processor::init(context);
    store_ = &context.key_value_store<std::string, Blob>("store");
  }
  void process(const RecordRef<std::string, Blob>& record) override {
    store_->put(record.key, record.value, record.timestamp, record.headers);
  }

 private:
  KeyValueStore<std::string, Blob>* store_ = nullptr;
};

void restore(StreamsBuilder& builder, const PeerSettings& settings, Progress&) {
  builder.add_state_store(key_value_store_builder<std::string, Blob>("store"));
  builder.stream<std::string, Blob>(settings.inputs.at(0))
      .process([] { return std::make_unique<Keeper>(); }, {"store"});
}

}  // namespace

Topology peer_topology(const PeerSettings& settings, Progress& progress) {
  struct Workload {
    std::string_view name;
    void (*build)(StreamsBuilder&, const PeerSettings&, Progress&);
  };
  static constexpr Workload kWorkloads[] = {{"map", map},
                                            {"count", count},
                                            {"iq", count},
                                            {"startup", count},
                                            {"window", window},
                                            {"hop", hopping_window},
                                            {"stjoin", stream_table_join},
                                            {"repart", repartition},
                                            {"ssjoin", stream_stream_join},
                                            {"shuffle", shuffle},
                                            {"saga", saga},
                                            {"restore", restore}};
  auto* build = nexmark_query(settings.workload);
  for (const auto& workload : kWorkloads) {
    if (workload.name == settings.workload) build = workload.build;
  }
  if (!build) {
    throw std::invalid_argument("PB_WORKLOAD names no workload: " + settings.workload);
  }
  StreamsBuilder builder;
  build(builder, settings, progress);
  return builder.build({.optimization = settings.tuned() ? "all" : "none"});
}

}  // namespace thalweg::bench
