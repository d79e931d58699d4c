// A topology of twenty operators, no two alike: what compiling one costs. Prints its description.

#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include <thalweg/topology/streams_builder.h>

using namespace thalweg;
using namespace std::chrono_literals;

namespace {

using Text = std::string;
using Count = std::int64_t;

void build(StreamsBuilder& builder) {
  const auto orders = builder.stream<Text, Text>("orders");
  const auto users = builder.table<Text, Text>("users", {}, {.store = "users"});
  const auto prices = builder.global_table<Text, Count>("prices");

  const auto lines =
      orders.filter([](const Text&, const Text& order) { return !order.empty(); })
          .peek([](const Text& id, const Text&) { std::clog << id << "\n"; })
          .flat_map_values([](const Text& order) {
            return std::vector<Text>{order, order};
          })
          .select_key([](const Text&, const Text& line) { return line.substr(0, 4); })
          .join(users, [](const Text& line, const Text& user) { return line + user; })
          .left_join(
              prices, [](const Text& key, const Text&) { return key; },
              [](const Text& line, const Count* price) { return line + (price ? "" : "?"); });

  auto branches =
      lines.split({.name = "lines-"})
          .branch([](const Text&, const Text& line) { return line.size() > 9; }, {.name = "long"})
          .default_branch({.name = "short"});
  const auto longer = branches.at("lines-long").map_values([](const Text& line) {
    return static_cast<Count>(line.size());
  });
  const auto shorter = branches.at("lines-short").map([](const Text& key, const Text& line) {
    return std::pair(key + line, static_cast<Count>(line.size()));
  });

  const auto windows = JoinWindows::of_time_difference_and_grace(10s, 1s);
  const auto merged = longer.merge(shorter).repartition({.name = "sizes"});
  merged
      .join(
          lines, [](Count size, const Text& line) { return line + std::to_string(size); }, windows)
      .to("joined");

  const auto sums = merged.group_by_key().reduce([](Count a, Count b) { return a + b; });
  const auto counts =
      merged.group_by_key().windowed_by(TimeWindows::of_size_and_grace(1min, 5s)).count();
  counts.suppress(Suppressed::until_window_closes()).to_stream().for_each([](const auto&, auto) {});
  const auto large =
      sums.filter([](const Text&, Count sum) { return sum > 100; }).map_values([](Count sum) {
        return sum / 100;
      });
  large.join(sums, [](Count hundreds, Count sum) { return sum - hundreds * 100; })
      .to_stream()
      .to("rests");
  users.group_by([](const Text& id, const Text& user) { return std::pair(user, id); })
      .count()
      .to_stream()
      .to("namesakes");
}

}  // namespace

int main() {
  StreamsBuilder builder;
  build(builder);
  std::cout << builder.build().describe().to_text();
}
