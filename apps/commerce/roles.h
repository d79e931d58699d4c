#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/runtime/streams_config.h>
#include <thalweg/topology/topology.h>

#include "shop_config.h"

namespace thalweg::shop {

/// How a role shares the machine with the others of its process
/// (docs/decisions/0017-listeners-take-their-time.md).
enum class Pace : std::uint8_t {
  kServes,   ///< Commands wait for it.
  kFollows,  ///< It goes where the orders have been, and gives way to them.
  kListens,  ///< As kFollows, on one thread, with seldom commits; no command waits for it.
};

/// A part of the shop that a process can play: one application, which is one group on the log.
struct Role {
  std::string_view name;  ///< In `--roles`.
  std::string_view application_id;
  /// Null for the gateway, which is HTTP and has no topology.
  Topology (*topology)(const ShopConfig& config);
  Pace pace = Pace::kServes;
  /// What becomes of a record for which the role's code throws, unless that is set.
  FailureHandling on_failure = FailureHandling::kDeadLetter;
};

/// Settings for an application of that pace.
void set_pace(Pace pace, StreamsConfig& config);

/// Where records go that cannot be read or processed.
inline constexpr const char* kDeadLetterTopic = "{topic}.dlq";
/// What the role does with them; `processing` is what was set of those that cannot be processed.
void set_handlers(const Role& role, std::optional<FailureHandling> processing,
                  StreamsConfig& config);

/// Every role there is.
std::span<const Role> all_roles();
/// Their names with commas between.
std::string names_of_all_roles();

/// Reads `gateway,orders`; the roles come in the order of all_roles(), each once. Throws
/// ConfigError for an unknown name.
std::vector<const Role*> parse_roles(const std::string& names);

/// Throws ConfigError for a combination that cannot work: on the embedded log there are no other
/// processes, whose state a gateway could read.
void check_roles(const std::vector<const Role*>& roles, bool is_on_kafka);

}  // namespace thalweg::shop
