#include "config/text.h"

#include <algorithm>
#include <array>
#include <vector>

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

std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before_last(to.size() + 1);
  std::vector<std::size_t> last(to.size() + 1);
  std::vector<std::size_t> row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last[to.size()];
}

bool is_secret(std::string_view key) {
  static constexpr std::array<std::string_view, 6> kMarks = {"password", "secret",     "token",
                                                             "jaas",     "credential", "ssl.key"};
  return std::ranges::any_of(
      kMarks, [&](std::string_view mark) { return key.find(mark) != std::string_view::npos; });
}

}  // namespace thalweg::internal
