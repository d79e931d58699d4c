#include <algorithm>
#include <utility>

#include <thalweg/runtime/nearest_name.h>

namespace thalweg {

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

std::string nearest(std::string_view name, const std::vector<std::string>& known) {
  constexpr std::size_t kCompared = 100;  // Longer names are told apart by then.
  name = name.substr(0, kCompared);
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(name.size() / 2, 2);
  for (const auto& other : known) {
    const auto apart = edit_distance(name, std::string_view(other).substr(0, kCompared));
    if (apart >= best_distance) continue;
    best_distance = apart;
    best = other;
  }
  return best;
}

std::vector<std::string> nearest_few(std::string_view name, std::vector<std::string> known,
                                     std::size_t count) {
  constexpr std::size_t kCompared = 100;
  const auto apart = [&](const std::string& other) {
    return edit_distance(name.substr(0, kCompared), std::string_view(other).substr(0, kCompared));
  };
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (auto& other : known) ranked.emplace_back(apart(other), std::move(other));
  std::ranges::sort(ranked);
  std::vector<std::string> few;
  for (auto& [far, other] : ranked) {
    if (few.size() < count) few.push_back(std::move(other));
  }
  return few;
}

}  // namespace thalweg
