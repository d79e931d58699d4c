#include "raw_view_keeper.h"

#include <thalweg/state/stores.h>

namespace thalweg::shop {
namespace {

class RawViewKeeper final : public FixedKeyProcessor<std::optional<std::string>, View, View> {
 public:
  explicit RawViewKeeper(std::string store) : store_(std::move(store)) {}

  void init(FixedKeyProcessorContext<std::optional<std::string>, View>& context) override {
    FixedKeyProcessor::init(context);
    views_ = &context.window_store<std::string, View>(store_);
  }
  void process(const RecordRef<std::optional<std::string>, View>& record) override {
    views_->put(record.value.product_id, record.value, record.timestamp);
  }

 private:
  const std::string store_;
  WindowStore<std::string, View>* views_ = nullptr;
};

}  // namespace

void keep_raw_views(StreamsBuilder& builder, const KStream<std::optional<std::string>, View>& views,
                    const std::string& store) {
  builder.add_state_store(
      window_store_builder<std::string, View>(store, {.retention = kRawViewsKept,
                                                      .window_size = std::chrono::milliseconds(1),
                                                      .segment_interval = std::chrono::hours(6),
                                                      .retain_duplicates = true}));
  views.process_values([store] { return std::make_unique<RawViewKeeper>(store); }, {store},
                       {.name = "keep-raw-views"});
}

}  // namespace thalweg::shop
