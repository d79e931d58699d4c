#pragma once

#include "query/query_context.h"

namespace thalweg::internal {

/// What requests are refused for before their routes' handlers see them, in one place: once all
/// routes are there.
void add_query_checks(const ContextPtr& context);

}  // namespace thalweg::internal
