#include "order_funnel.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <thalweg/state/stores.h>

#include "topologies.h"

namespace thalweg::shop {
namespace {

class FunnelKeeper final : public FixedKeyProcessor<std::string, OrderEvent, OrderEvent> {
 public:
  void init(FixedKeyProcessorContext<std::string, OrderEvent>& context) override {
    FixedKeyProcessor::init(context);
    rows_ = &context.key_value_store<std::string, std::int64_t>(stores::kOrderFunnel);
  }
  void process(const RecordRef<std::string, OrderEvent>& record) override {
    const std::string& row = funnel_row(record.value.type, record.value.reason);
    const std::int64_t* before = rows_->get(row);
    rows_->put(row, (before ? *before : 0) + 1);
  }

 private:
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

const std::string& funnel_row(EventType type, Reason reason) {
  static const Rows kTypes("", fb::EnumValuesEventType(), fb::EnumNameEventType);
  static const Rows kCancellations(kCancelledPrefix, fb::EnumValuesReason(), fb::EnumNameReason);
  return type == EventType::ORDER_CANCELLED ? kCancellations.of(reason) : kTypes.of(type);
}

void keep_funnel(StreamsBuilder& builder, const KStream<std::string, OrderEvent>& events) {
  builder.add_state_store(key_value_store_builder<std::string, std::int64_t>(
      stores::kOrderFunnel, {.caching = true}));
  events.process_values([] { return std::make_unique<FunnelKeeper>(); }, {stores::kOrderFunnel},
                        {.name = "count-events"});
}

}  // namespace thalweg::shop
