// A stream and a table whose keys are of different types: no record finds its row.

#include <thalweg/topology/streams_builder.h>

void build(thalweg::StreamsBuilder& builder) {
#ifdef THALWEG_FAULT
  using OtherKey = std::int64_t;
#else
  using OtherKey = std::string;
#endif
  builder.stream<std::string, std::string>("left").join(
      builder.table<OtherKey, std::string>("right"),
      [](const std::string& left, const std::string& right) { return left + right; });
}
