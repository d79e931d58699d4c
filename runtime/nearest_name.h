#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace thalweg::internal {

/// The name most like `name`, or empty when none is like it at all.
std::string nearest(std::string_view name, const std::vector<std::string>& known);
/// At most `count` of the known names, the most like `name` first.
std::vector<std::string> nearest_few(std::string_view name, std::vector<std::string> known,
                                     std::size_t count);

}  // namespace thalweg::internal
