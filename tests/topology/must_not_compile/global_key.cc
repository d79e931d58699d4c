// A selector that does not give a key of the global table.

#include <thalweg/topology/streams_builder.h>

void build(thalweg::StreamsBuilder& builder) {
#ifdef THALWEG_FAULT
  using Selected = std::int64_t;
#else
  using Selected = std::string;
#endif
  builder.stream<std::string, std::string>("orders").join(
      builder.global_table<std::string, std::string>("customers"),
      [](const std::string&, const std::string&) { return Selected(); },
      [](const std::string& order, const std::string& customer) { return order + customer; });
}
