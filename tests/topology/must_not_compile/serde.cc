// A source of a type that nothing can read from bytes.

#include <thalweg/topology/streams_builder.h>

struct Unreadable {};

void build(thalweg::StreamsBuilder& builder) {
#ifdef THALWEG_FAULT
  using Value = Unreadable;
#else
  using Value = std::string;
#endif
  builder.stream<std::string, Value>("in");
}
