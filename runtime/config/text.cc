#include "config/text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace thalweg::internal {

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 120;
  std::string shown = "'";
  for (const char character : text.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7f) {
      shown += fmt::format("\\x{:02x}", byte);
    } else {
      shown += character;
    }
  }
  shown += '\'';
  if (text.size() > kShown) shown += fmt::format(" and {} more bytes", text.size() - kShown);
  return shown;
}

bool is_secret(std::string_view key) {
  static constexpr std::array<std::string_view, 6> kMarks = {"password", "secret",     "token",
                                                             "jaas",     "credential", "ssl.key"};
  return std::ranges::any_of(
      kMarks, [&](std::string_view mark) { return key.find(mark) != std::string_view::npos; });
}

}  // namespace thalweg::internal
