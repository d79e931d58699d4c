#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include <thalweg/state/state_store.h>

namespace thalweg::golden {

std::string hex(std::string_view bytes);

/// Whether a store has the name of one in which a join of streams keeps records, without
/// timestamps of their own.
bool keeps_joined_records(std::string_view store);

/// What the stores hold that joins make for themselves, and versioned ones; nothing for any other.
/// Versioned stores are asked for `keys`, which are serialised.
std::optional<boost::json::object> show_join_store(StateStore& store,
                                                   const std::set<std::string>& keys);

}  // namespace thalweg::golden
