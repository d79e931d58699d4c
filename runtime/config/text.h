#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace thalweg::internal {

/// `text` in single quotes, fit for a message: control characters escaped, long text cut.
std::string quoted(std::string_view text);

/// How many characters must be inserted, removed, replaced or swapped with their neighbour to make
/// one text of the other.
std::size_t edit_distance(std::string_view from, std::string_view to);

/// True for keys whose values no message and no listing may show.
bool is_secret(std::string_view key);

}  // namespace thalweg::internal
