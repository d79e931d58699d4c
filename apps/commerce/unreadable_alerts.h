#pragma once

#include <optional>
#include <string>

#include <thalweg/topology/kstream.h>

namespace thalweg::shop {

/// Raises an alert on `admin-alerts` for each of these dead letters, whose headers say what is
/// wrong with them. `name` is that of the node.
void raise_alerts(const KStream<std::optional<std::string>, Bytes>& dead_letters,
                  const std::string& name);

}  // namespace thalweg::shop
