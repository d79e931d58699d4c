// thalweg reset: lets a stopped application begin anew, as kafka-streams-application-reset does,
// local state included.

#include <algorithm>
#include <array>

#include <CLI/CLI.hpp>

#include "context.h"
#include "exit_codes.h"
#include "json_fields.h"
#include "stopped_server.h"

namespace thalweg::cli {
namespace {

struct ResetArguments {
  std::string application;
  bool dry_run = false;
  bool yes = false;
};

/// What a reset does.
struct ResetPlan {
  std::vector<std::string> topics;           ///< Deleted.
  std::map<TopicPartition, Offset> offsets;  ///< Where inputs are read from again.
  std::vector<std::string> families;         ///< Local state that is deleted.

  bool empty() const { return topics.empty() && offsets.empty() && families.empty(); }
};

/// Whether the topic is one that the application made for itself: the rule of Kafka's own tool.
bool is_internal(const std::string& topic, const std::string& application) {
  constexpr std::array<std::string_view, 4> kEndings = {"-changelog", "-repartition",
                                                        "-subscription-registration-topic",
                                                        "-subscription-response-topic"};
  if (!topic.starts_with(application + '-')) return false;
  const auto rest = topic.substr(application.size() + 1);
  return std::ranges::any_of(kEndings, [&](auto ending) { return rest.ends_with(ending); }) ||
         (rest.starts_with("KTABLE-FK-JOIN-SUBSCRIPTION-") && rest.ends_with("-topic"));
}

/// Whether the topic is the application's: that of the longest known id that it fits, as `shop`
/// does not own what is `shop-views`'. An id that is not known owns what fits no known one: the
/// beginning of another application's topics is no application.
bool belongs_to(const std::string& topic, const std::string& application,
                const std::vector<std::string>& applications) {
  if (!is_internal(topic, application)) return false;
  const bool known = std::ranges::find(applications, application) != applications.end();
  return std::ranges::none_of(applications, [&](const auto& other) {
    return (!known || other.size() > application.size()) && is_internal(topic, other);
  });
}

/// Refuses an id of which there is neither a topic nor local state, unless it is a known one.
void check_known(StoppedDirectory& directory, const std::string& path,
                 const std::string& application, const ResetPlan& plan) {
  const auto applications = directory.applications();
  const bool known = std::ranges::find(applications, application) != applications.end();
  const bool owns = !plan.topics.empty() || !plan.families.empty();
  if (owns || (known && !plan.empty())) return;
  std::string names;
  for (const auto& name : applications) names += (names.empty() ? "" : ", ") + name;
  throw CommandError(kUnknownName, path + " has nothing of an application '" + application + "'",
                     "known are: " + names);
}

ResetPlan plan_for(StoppedDirectory& directory, const std::string& application) {
  ResetPlan plan;
  const auto applications = directory.applications();
  const auto topics = directory.log().topics();
  if (!topics) throw CommandError(kFailed, topics.error().message);
  for (const auto& topic : *topics) {
    if (belongs_to(topic.name, application, applications)) plan.topics.push_back(topic.name);
  }
  for (const auto& [partition, committed] : directory.log().committed(application)) {
    if (std::ranges::find(plan.topics, partition.topic) != plan.topics.end()) continue;
    const auto range = directory.log().range(partition);
    if (range) plan.offsets[partition] = range->begin;
  }
  for (const auto& family : directory.storage().families()) {
    if (family.starts_with(application + '/')) plan.families.push_back(family);
  }
  return plan;
}

void expect(LogProducer& producer, ProducerEvent::Kind kind, const char* doing) {
  ProducerEvent event;
  if (producer.poll(event) && event.kind == kind) return;
  throw CommandError(kFailed, std::string(doing) + ": " + event.error.message);
}

/// All offsets at once, as one transaction.
void reset_offsets(Log& log, const std::string& application,
                   const std::map<TopicPartition, Offset>& offsets) {
  if (offsets.empty()) return;
  std::map<TopicPartition, OffsetAndMetadata> positions;
  for (const auto& [partition, offset] : offsets) positions[partition] = {offset, ""};
  const auto producer = log.producer({.transactional_id = application + "-reset"});
  producer->init();
  expect(*producer, ProducerEvent::Kind::kReady, "beginning to reset offsets");
  producer->begin();
  producer->send_offsets(positions, {.group = application});
  expect(*producer, ProducerEvent::Kind::kOffsetsSent, "resetting offsets");
  producer->commit();
  expect(*producer, ProducerEvent::Kind::kCommitted, "resetting offsets");
}

void check(const Status& status) {
  if (!status) throw CommandError(kFailed, status.error().message, "run the reset again");
}

/// Local state goes last: as long as it is there, a reset that was interrupted can be repeated.
void carry_out(StoppedDirectory& directory, const std::string& application, const ResetPlan& plan) {
  for (const auto& topic : plan.topics) check(directory.log().delete_topic(topic));
  reset_offsets(directory.log(), application, plan.offsets);
  for (const auto& family : plan.families) check(directory.storage().drop_family(family));
}

void print_plan(const ResetPlan& plan, const OutputStyle& style) {
  if (style.json) {
    boost::json::object offsets;
    for (const auto& [partition, offset] : plan.offsets) offsets[to_string(partition)] = offset;
    return print_json(boost::json::object{
        {"topics", boost::json::array(plan.topics.begin(), plan.topics.end())},
        {"offsets", std::move(offsets)},
        {"state", boost::json::array(plan.families.begin(), plan.families.end())}});
  }
  Table table({{"WHAT"}, {"NAME"}, {"BECOMES"}});
  for (const auto& topic : plan.topics) table.add({"topic", topic, "deleted"});
  for (const auto& [partition, offset] : plan.offsets) {
    table.add({"offset", to_string(partition), std::to_string(offset)});
  }
  for (const auto& family : plan.families) table.add({"state", family, "deleted"});
  print(table, style, "there is nothing to reset");
}

int reset(Context& context, const ResetArguments& given) {
  if (context.data_dir.empty()) {
    throw CommandError(kUsage, "reset needs --data-dir, the directory of the stopped application",
                       "topics and offsets on a cluster of Kafka are reset by "
                       "kafka-streams-application-reset --application-id " +
                           given.application);
  }
  const auto directory = open_stopped(context.data_dir);
  const auto plan = plan_for(*directory, given.application);
  check_known(*directory, context.data_dir, given.application, plan);
  print_plan(plan, context.style);
  if (given.dry_run) return kDone;
  if (!given.yes) {
    throw CommandError(kUsage, "nothing was changed",
                       "--yes does it: what the application has computed is lost, and it reads "
                       "its inputs from their beginnings");
  }
  carry_out(*directory, given.application, plan);
  directory->close();
  return kDone;
}

}  // namespace

void add_reset(CLI::App& app, Context& context) {
  const auto given = std::make_shared<ResetArguments>();
  auto* command = app.add_subcommand(
      "reset", "Let a stopped application begin anew: topics, offsets, local state");
  command->add_option("APPLICATION", given->application, "Its application.id")->required();
  auto* dry_run =
      command->add_flag("--dry-run", given->dry_run, "Show what would be done, and do nothing");
  command->add_flag("-y,--yes", given->yes, "Do it")->excludes(dry_run);
  command->footer(
      "Deletes the application's changelogs and repartition topics and its local state, and lets "
      "it read\nits inputs from their beginnings. What it has written to other topics stays.");
  command->callback(
      [&context, given] { context.run = [&context, given] { return reset(context, *given); }; });
}

}  // namespace thalweg::cli
