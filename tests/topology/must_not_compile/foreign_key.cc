// A foreign key that is not of the type of the other table's keys.

#include <thalweg/topology/streams_builder.h>

void build(thalweg::StreamsBuilder& builder) {
#ifdef THALWEG_FAULT
  using ForeignKey = std::int64_t;
#else
  using ForeignKey = std::string;
#endif
  builder.table<std::string, std::string>("orders").join(
      builder.table<std::string, std::string>("customers"),
      [](const std::string&) { return ForeignKey(); },
      [](const std::string& order, const std::string& customer) { return order + customer; });
}
