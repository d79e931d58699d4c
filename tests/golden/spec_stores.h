#pragma once

#include <boost/json/object.hpp>

#include <thalweg/state/state_store.h>

namespace thalweg::golden {

/// What a store of windows, sessions or windowed keys, or a buffer of changes holds; empty for a
/// store of another kind. `timestamped`: whether a window store shows its timestamps.
boost::json::object windowed_store(StateStore& store, bool timestamped);

}  // namespace thalweg::golden
