#include "unreadable_alerts.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include <thalweg/schemas/json.h>
#include <thalweg/topology/processor.h>

#include "dead_letters.h"
#include "delivery_model.h"
#include "topics.h"

namespace thalweg::shop {
namespace {

using Id = std::string;
using MaybeId = std::optional<Id>;
using MaybeBytes = std::optional<Bytes>;

/// For so long copies of one dead letter may be apart: an application may have been away.
constexpr std::chrono::hours kCopiesWithin{24};

std::string header(const Headers& headers, std::string_view name) {
  const auto* found = headers.last(name);
  return found && found->value ? *found->value : std::string();
}

/// Where the record was that could not be read, on one line, and its key, behind that.
std::string place_and_key(const Headers& headers, const Id& key) {
  return header(headers, "__streams.errors.topic") + "-" +
         header(headers, "__streams.errors.partition") + " at " +
         header(headers, "__streams.errors.offset") + "\n" + key;
}

/// The alert of a dead letter, by the place of its record. By the clock, as what others write may
/// be of any time.
class AlertOfDeadLetter final : public Processor<MaybeId, MaybeBytes, Id, JsonText> {
 public:
  void process(const RecordRef<MaybeId, MaybeBytes>& record) override {
    const Timestamp now = context().task().wall_clock_time();
    const std::string topic = header(record.headers, "__streams.errors.topic");
    if (topic.empty()) return;  // A payment given up, or none of ours.
    if (header(record.headers, "__streams.errors.exception") == kDeliveryError) return;
    const Id key = record.key.value_or(Id());
    const std::string fault = header(record.headers, "__streams.errors.message");
    context().forward(place_and_key(record.headers, key),
                      JsonText{admin_alert(to_millis(now), topic, key, fault)}, now, Headers());
  }
};

std::vector<std::string> topics_of_dead_letters() {
  std::vector<std::string> names;
  for (const TopicPlan& plan : topics::kAll) {
    if (topics::is_foreign(plan.name)) names.push_back(std::string(plan.name) + ".dlq");
  }
  return names;
}

}  // namespace

void raise_alerts_of_unreadable_records(StreamsBuilder& builder) {
  builder.stream<MaybeId, MaybeBytes>(topics_of_dead_letters())
      .process([] { return std::make_unique<AlertOfDeadLetter>(); }, {},
               {.name = "alerts-of-unreadable-records"})
      .repartition({.name = "unreadable-records"})
      .deduplicate([](const Id& place, const JsonText&) { return place; },
                   {.name = "one-alert-for-each-record",
                    .store = "unreadable-records",
                    .within = kCopiesWithin})
      .map(
          [](const Id& place, const JsonText& alert) {
            const auto line = place.find('\n');
            spdlog::error("unreadable record {}: {}", place.substr(0, line), alert.text);
            return std::pair(place.substr(line + 1), alert);
          },
          {.name = "alerts-by-key"})
      .to(topics::kAdminAlerts);
}

}  // namespace thalweg::shop
