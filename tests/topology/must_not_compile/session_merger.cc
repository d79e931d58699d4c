// An aggregation of sessions without the function that merges them.

#include <chrono>

#include <thalweg/topology/streams_builder.h>

using Text = std::string;

void build(thalweg::StreamsBuilder& builder) {
  const auto gap = std::chrono::minutes(5);
  const auto add = [](const Text&, const Text&, std::int64_t n) { return n + 1; };
  const auto begin = [] { return std::int64_t{0}; };
  auto sessions = builder.stream<Text, Text>("in").group_by_key().windowed_by(
      thalweg::SessionWindows::of_inactivity_gap_with_no_grace(gap));
#ifdef THALWEG_FAULT
  sessions.aggregate(begin, add, [](const Text&, std::int64_t) { return 0; });
#else
  sessions.aggregate(begin, add,
                     [](const Text&, std::int64_t a, std::int64_t b) { return a + b; });
#endif
}
