#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/runtime/streams_config.h>
#include <thalweg/topology/topology.h>

#include "shop_config.h"

namespace thalweg::shop {

/// A part of the shop that a process can play: one application, which is one group on the log.
struct Role {
  std::string_view name;            ///< In `--roles`.
  std::string_view application_id;
  /// Null for the gateway, which is HTTP and has no topology.
  Topology (*topology)(const ShopConfig& config);
  /// Only listens to the others: it takes its time, and no command waits for it.
  bool only_listens = false;
};

/// Settings of applications that only listen: docs/decisions/0017-listeners-take-their-time.md.
void take_time(StreamsConfig& config);

/// Every role there is.
std::span<const Role> all_roles();
/// Their names with commas between.
std::string names_of_all_roles();

/// Reads `gateway,orders`; the roles come in the order of all_roles(), each once. Throws
/// ConfigError for an unknown name, or a combination that cannot work.
std::vector<const Role*> parse_roles(const std::string& names);

}  // namespace thalweg::shop
