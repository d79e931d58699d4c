// An outer joiner that takes the values as if both were always there.

#include <thalweg/topology/streams_builder.h>

void build(thalweg::StreamsBuilder& builder) {
#ifdef THALWEG_FAULT
  using Maybe = const std::string&;
#else
  using Maybe = const std::string*;
#endif
  builder.table<std::string, std::string>("left").outer_join(
      builder.table<std::string, std::string>("right"),
      [](Maybe, Maybe) { return std::string(); });
}
