#include "order_funnel.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <thalweg/state/stores.h>

#include "table_bytes.h"

namespace thalweg {
namespace shop {
namespace {

class FunnelKeeper final : public FixedKeyProcessor<std::string, OrderStep, OrderStep> {
 public:
  explicit FunnelKeeper(std::string store) : store_(std::move(store)) {}

  void init(FixedKeyProcessorContext<std::string, OrderStep>& context) override {
    FixedKeyProcessor::init(context);
    rows_ = &context.key_value_store<std::string, std::int64_t>(store_);
  }
  void process(const RecordRef<std::string, OrderStep>& record) override {
    const std::string& row = funnel_row(record.value);
    const std::int64_t* before = rows_->get(row);
    rows_->put(row, (before ? *before : 0) + 1);
  }

 private:
  const std::string store_;
  KeyValueStore<std::string, std::int64_t>* rows_ = nullptr;
};

/// The rows of an enumeration, whose values are consecutive from 0.
class Rows {
 public:
  template <typename Values, typename NameOf>
  Rows(const std::string& prefix, const Values& values, NameOf name_of) {
    for (const auto value : values) rows_.push_back(prefix + name_of(value));
    rows_.push_back(prefix + "UNKNOWN");
  }
  /// Values that a later version writes are unknown here, and no reason to stop.
  template <typename Enum>
  const std::string& of(Enum value) const {
    return rows_[std::min(static_cast<std::size_t>(value), rows_.size() - 1)];
  }

 private:
  std::vector<std::string> rows_;
};

}  // namespace

const std::string& funnel_row(const OrderStep& step) {
  static const Rows kTypes("", fb::EnumValuesEventType(), fb::EnumNameEventType);
  static const Rows kCancellations(kCancelledPrefix, fb::EnumValuesReason(), fb::EnumNameReason);
  return step.type == EventType::ORDER_CANCELLED ? kCancellations.of(step.reason)
                                                 : kTypes.of(step.type);
}

void keep_funnel(StreamsBuilder& builder, const KStream<std::string, OrderStep>& steps,
                 const std::string& store) {
  builder.add_state_store(
      key_value_store_builder<std::string, std::int64_t>(store, {.caching = true}));
  steps.process_values([store] { return std::make_unique<FunnelKeeper>(store); }, {store},
                       {.name = "count-steps"});
}

}  // namespace shop

using namespace shop;

void Serde<OrderStep>::serialize(const OrderStep& value, std::string& out) {
  Serde<OrderEvent>::serialize({.type = value.type, .reason = value.reason}, out);
}

void Serde<OrderStep>::deserialize(BytesView bytes, OrderStep& out) {
  read_table<fb::OrderEvent>(bytes, [&](const fb::OrderEvent& table) {
    out.type = table.type();
    out.reason = table.reason();
  });
}

SchemaPtr Serde<OrderStep>::schema() { return Serde<OrderEvent>::schema(); }

}  // namespace thalweg
