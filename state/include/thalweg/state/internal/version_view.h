#pragma once

#include <memory>

#include <thalweg/state/state_store.h>

namespace thalweg::internal {

/// Shows the latest version of each history that `histories` shows, as a key-value store would.
std::shared_ptr<const StoreView> view_of_latest(std::shared_ptr<const StoreView> histories);

}  // namespace thalweg::internal
