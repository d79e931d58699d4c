// A joiner that does not take the table's rows.

#include <thalweg/topology/streams_builder.h>

void build(thalweg::StreamsBuilder& builder) {
#ifdef THALWEG_FAULT
  using Row = int*;
#else
  using Row = std::string;
#endif
  builder.stream<std::string, std::string>("in").join(
      builder.table<std::string, std::string>("rows"),
      [](const std::string& value, const Row&) { return value; });
}
