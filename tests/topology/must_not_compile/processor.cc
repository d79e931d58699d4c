// A supplier of something that is not a processor of the stream's records.

#include <thalweg/topology/streams_builder.h>

struct OfText final : thalweg::Processor<std::string, std::string> {
  void process(const thalweg::RecordRef<std::string, std::string>&) override {}
};
struct OfNumbers final : thalweg::Processor<std::string, std::int64_t> {
  void process(const thalweg::RecordRef<std::string, std::int64_t>&) override {}
};

void build(thalweg::StreamsBuilder& builder) {
#ifdef THALWEG_FAULT
  using Chosen = OfNumbers;
#else
  using Chosen = OfText;
#endif
  builder.stream<std::string, std::string>("in").process([] { return std::make_unique<Chosen>(); });
}
