// Topics for comparisons side by side: makes them, fills them with the data sets, reads what both
// sides put out. Belongs to neither side. Each command prints one JSON object a line.

#include <chrono>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "peer/data_counts.h"
#include "peer/data_sets.h"
#include "peer/kafka_topics.h"
#include "peer/paced_load.h"
#include "peer/progress.h"
#include "peer/topic_digest.h"

namespace {

using namespace thalweg::bench;

/// NAME:PARTITIONS[:KEY=VALUE[;KEY=VALUE]...]
TopicSpec spec_of(const std::string& text) {
  const auto parts = CLI::detail::split(text, ':');
  if (parts.size() != 2 && parts.size() != 3) {
    throw std::invalid_argument(text + " is not NAME:PARTITIONS[:KEY=VALUE;...]");
  }
  TopicSpec spec{parts[0], std::stoi(parts[1]), {}};
  if (parts.size() < 3) return spec;
  for (const auto& setting : CLI::detail::split(parts[2], ';')) {
    const auto equals = setting.find('=');
    if (equals == setting.npos) throw std::invalid_argument(setting + " is not KEY=VALUE");
    spec.settings.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return spec;
}

struct Load {
  std::string topic;
  std::string data_set_name;
  std::int64_t count = 0;
  std::int64_t base_ms = 0;

  void run(const std::string& bootstrap) const {
    const DataSet records = data_set(data_set_name);
    DataCounts counts(data_set_name);
    TopicWriter writer(bootstrap, topic, TopicWriter::Pace::kBulk);
    DataRecord record;
    for (std::int64_t index = 0; index < count; ++index) {
      records(index, count, base_ms, record);
      counts.add(index, count, record);
      writer.put(record.key, record.value, record.timestamp_ms);
      if (index % 1'024 == 0) writer.poll();
    }
    if (const auto failed = writer.flush(); failed > 0) {
      throw std::runtime_error(fmt::format("{}: {} records were not written", topic, failed));
    }
    fmt::print("{{\"topic\":\"{}\",\"records\":{},\"matches\":{},\"windows\":{}}}\n", topic, count,
               counts.matches(), counts.windows());
  }
};

void list(const std::string& bootstrap) {
  for (const auto& topic : list_topics(bootstrap)) {
    fmt::print("{{\"topic\":\"{}\",\"partitions\":{},\"records\":{}}}\n", topic.name,
               topic.partitions, topic.records);
  }
}

void digest(const std::string& bootstrap, const std::string& topic, bool with_partition_and_time) {
  constexpr auto kPatience = std::chrono::minutes(2);
  TopicReader reader(bootstrap, topic, TopicReader::From::kBeginning);
  TopicDigest digest(with_partition_and_time);
  const auto limit = std::chrono::steady_clock::now() + kPatience;
  while (!reader.at_end()) {
    if (std::chrono::steady_clock::now() > limit) {
      throw std::runtime_error(topic + " could not be read to its end");
    }
    reader.read(500, [&](const TopicReader::Record& record) {
      digest.add({.partition = record.partition,
                  .timestamp_ms = record.timestamp_ms,
                  .key = record.key,
                  .value = record.value,
                  .is_tombstone = record.is_tombstone});
    });
  }
  fmt::print("{}\n", digest.json());
}

/// RATE:SECONDS, with :0 behind it where latencies do not count.
LoadPhase phase_of(const std::string& text) {
  const auto parts = CLI::detail::split(text, ':');
  if (parts.size() != 2 && parts.size() != 3) {
    throw std::invalid_argument(text + " is not RATE:SECONDS[:0]");
  }
  return {std::stod(parts[0]), std::stod(parts[1]), parts.size() == 2 || parts[2] != "0"};
}

double percentile(const std::vector<double>& ascending, double part) {
  if (ascending.empty()) return 0;
  const auto last = static_cast<double>(ascending.size() - 1);
  return ascending[static_cast<std::size_t>(last * part)];
}

void offer_load(const std::string& bootstrap, const PacedLoad& load) {
  const PacedResult result = offer(bootstrap, load);
  const auto& took = result.latencies_ms;
  fmt::print(
      "{{\"sent\":{},\"received\":{},\"lost\":{},\"extra\":{},\"counted\":{},\"p50_ms\":{:.3f},"
      "\"p99_ms\":{:.3f},\"p999_ms\":{:.3f},\"max_ms\":{:.3f},\"longest_gap_s\":{:.3f},"
      "\"gap_began_s\":{:.3f}}}\n",
      result.sent, result.received, result.lost, result.extra, took.size(), percentile(took, 0.5),
      percentile(took, 0.99), percentile(took, 0.999), percentile(took, 1), result.longest_gap_s,
      result.gap_began_s);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Topics for comparisons side by side.");
  app.require_subcommand(1);
  std::string bootstrap;
  app.add_option("--bootstrap", bootstrap, "The brokers, HOST:PORT[,...]")->required();
  std::vector<std::string> names;
  std::string topic;
  Load load;

  auto* create = app.add_subcommand("create", "Make topics; one that exists stays as it is");
  create->add_option("topic", names, "NAME:PARTITIONS[:KEY=VALUE;...]")->required();
  create->callback([&] {
    std::vector<TopicSpec> specs;
    for (const auto& name : names) specs.push_back(spec_of(name));
    create_topics(bootstrap, specs);
  });
  auto* remove = app.add_subcommand("delete", "Delete topics by the beginnings of their names");
  remove->add_option("prefix", names)->required();
  remove->callback([&] { fmt::print("{{\"deleted\":{}}}\n", delete_topics(bootstrap, names)); });
  app.add_subcommand("list", "All topics and how many records they have")->callback([&] {
    list(bootstrap);
  });
  auto* fill = app.add_subcommand("load", "Fill a topic with a data set");
  fill->add_option("topic", load.topic)->required();
  fill->add_option("data-set", load.data_set_name)->required();
  fill->add_option("count", load.count)->required();
  fill->add_option("base-ms", load.base_ms, "Event time of the beginning")->required();
  fill->callback([&] { load.run(bootstrap); });
  PacedLoad load_offered;
  std::vector<std::string> phases;
  bool amounts = false;
  auto* pace = app.add_subcommand("offer", "Offer orders at a steady pace, see when they come out");
  pace->add_option("input", load_offered.input)->required();
  pace->add_option("output", load_offered.output)->required();
  pace->add_option("phase", phases, "RATE:SECONDS[:0]; 0: for warmth only")->required();
  pace->add_flag("--amounts", amounts, "Records of kv, one out for each in; no latencies");
  pace->callback([&] {
    load_offered.orders = !amounts;
    for (const auto& phase : phases) load_offered.phases.push_back(phase_of(phase));
    offer_load(bootstrap, load_offered);
  });
  auto* check = app.add_subcommand("digest", "What is in a topic, whatever its order");
  check->add_option("topic", topic)->required();
  bool with_partition_and_time = false;
  check->add_flag("--with-partition-and-time", with_partition_and_time,
                  "Hash where and when each record is too");
  check->callback([&] { digest(bootstrap, topic, with_partition_and_time); });

  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    fmt::print(stderr, "topic_tool: {}\n", error.what());
    return 1;
  }
}
