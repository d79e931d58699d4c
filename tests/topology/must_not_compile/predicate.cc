// A predicate of the wrong key type.

#include <thalweg/topology/streams_builder.h>

void build(thalweg::StreamsBuilder& builder) {
#ifdef THALWEG_FAULT
  using Key = int*;
#else
  using Key = std::string;
#endif
  builder.stream<std::string, std::string>("in").filter(
      [](const Key&, const std::string&) { return true; });
}
