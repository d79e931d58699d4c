#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include <thalweg/state/state_store.h>

namespace thalweg::golden {

std::string hex(std::string_view bytes);

/// What the stores hold that joins make for themselves, and versioned ones; nothing for any other.
/// Versioned stores are asked for `keys`, which are serialised.
std::optional<boost::json::object> show_join_store(StateStore& store,
                                                   const std::set<std::string>& keys);

}  // namespace thalweg::golden
