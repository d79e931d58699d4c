// A subtractor that takes another aggregate than the adder makes.

#include <cstdint>

#include <thalweg/topology/streams_builder.h>

void build(thalweg::StreamsBuilder& builder) {
#ifdef THALWEG_FAULT
  using Sum = std::string;
#else
  using Sum = std::int64_t;
#endif
  using Text = std::string;
  builder.table<Text, std::int64_t>("rows")
      .group_by([](const Text& key, std::int64_t n) { return std::pair(key, n); })
      .aggregate([] { return std::int64_t{0}; },
                 [](const Text&, std::int64_t n, std::int64_t sum) { return sum + n; },
                 [](const Text&, std::int64_t, Sum sum) { return sum; });
}
