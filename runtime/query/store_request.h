#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "query/query_context.h"

// What requests for stores have in common.
namespace thalweg::internal {

std::string_view kind_name(StateStore::Kind kind);

inline bool has_windows(const StoreRef& store) {
  return store.kind == StateStore::Kind::kWindow || store.kind == StateStore::Kind::kSession;
}
/// The answer for a store that is no key-value store, with `why` it has to be one; nothing for one
/// that is.
std::optional<HttpResponse> wrong_kind(
    const StoreRef& store, std::string_view why = "all rows are read from key-value stores");

/// `name`, `name=true` or `name=false`; absent: false.
Answered<bool> flag(const HttpRequest& request, std::string_view name);

HttpResponse invalid_key(const Error& error);

/// Narrows the bounds, which keep what they are if they are narrower already.
void raise(StoreView::Scan& bounds, std::string from);
void lower(StoreView::Scan& bounds, std::string to);
/// Narrows the bounds to those of `from`, `to`, `prefix` and `key` together.
std::optional<HttpResponse> read_bounds(const HttpRequest& request, const Schema& schema,
                                        StoreView::Scan& bounds);

}  // namespace thalweg::internal
