#pragma once

#include <string>
#include <string_view>

namespace thalweg::internal {

/// `text` in single quotes, fit for a message: control characters escaped, long text cut.
std::string quoted(std::string_view text);

/// True for keys whose values no message and no listing may show.
bool is_secret(std::string_view key);

}  // namespace thalweg::internal
