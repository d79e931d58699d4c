// A processor that changes keys where they must stay: behind process_values() nothing would be
// repartitioned.

#include <memory>

#include <thalweg/topology/streams_builder.h>

using Text = std::string;

#ifdef THALWEG_FAULT
struct Renaming final : thalweg::Processor<Text, Text> {
  void process(const thalweg::RecordRef<Text, Text>& record) override {
    context().forward("another", record.value);
  }
};
#else
struct Renaming final : thalweg::FixedKeyProcessor<Text, Text> {
  void process(const thalweg::RecordRef<Text, Text>& record) override {
    context().forward(record.value);
  }
};
#endif

void build(thalweg::StreamsBuilder& builder) {
  builder.stream<Text, Text>("in").process_values([] { return std::make_unique<Renaming>(); });
}
