// A fixed-key processor that tries to forward another key.

#include <memory>

#include <thalweg/topology/streams_builder.h>

using Text = std::string;

struct Renaming final : thalweg::FixedKeyProcessor<Text, Text> {
  void process(const thalweg::RecordRef<Text, Text>& record) override {
#ifdef THALWEG_FAULT
    context().forward("another", record.value);
#else
    context().forward(record.value);
#endif
  }
};

void build(thalweg::StreamsBuilder& builder) {
  builder.stream<Text, Text>("in").process_values([] { return std::make_unique<Renaming>(); });
}
