#include "nearest_name.h"

#include <algorithm>
#include <utility>

namespace thalweg::internal {

namespace {

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view name, const std::vector<std::string>& known) {
  constexpr std::size_t kCompared = 100;  // Longer names are told apart by then.
  name = name.substr(0, kCompared);
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(name.size() / 2, 2);
  for (const auto& other : known) {
    const auto apart = distance(name, std::string_view(other).substr(0, kCompared));
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
    return distance(name.substr(0, kCompared), std::string_view(other).substr(0, kCompared));
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

}  // namespace thalweg::internal
