// Two streams whose keys are of different types: their records cannot meet, whatever the window.

#include <thalweg/topology/streams_builder.h>

void build(thalweg::StreamsBuilder& builder) {
#ifdef THALWEG_FAULT
  using OtherKey = std::int64_t;
#else
  using OtherKey = std::string;
#endif
  builder.stream<std::string, std::string>("left").join(
      builder.stream<OtherKey, std::string>("right"),
      [](const std::string& left, const std::string& right) { return left + right; },
      thalweg::JoinWindows::of_time_difference_with_no_grace(std::chrono::seconds(1)));
}
