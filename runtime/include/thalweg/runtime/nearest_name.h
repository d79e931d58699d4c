#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace thalweg {

// What may have been meant by a name that nothing has, for messages: keys, stores, topics,
// commands, parameters. Any thread may call these.

/// How many bytes must be inserted, removed, replaced or swapped with their neighbour to make one
/// text of the other. Takes time with the product of their lengths.
std::size_t edit_distance(std::string_view from, std::string_view to);

/// The name most like `name`, or empty when none is like it at all.
std::string nearest(std::string_view name, const std::vector<std::string>& known);
/// At most `count` of the known names, the most like `name` first.
std::vector<std::string> nearest_few(std::string_view name, std::vector<std::string> known,
                                     std::size_t count);

}  // namespace thalweg
