#include "trend_keeper.h"

#include "view_windows.h"
#include "views_topology.h"

namespace thalweg::shop {

void TrendKeeper::init(ProcessorContext<Place, std::optional<std::int64_t>>& context) {
  Processor::init(context);
  counts_ = &context.window_store<std::string, std::int64_t>(stores::kTrend);
}

void TrendKeeper::process(
    const RecordRef<Windowed<std::string>, std::optional<std::int64_t>>& record) {
  const std::string product = record.key.key;
  const Timestamp start = record.key.window.start;
  const std::int64_t views = record.value.value_or(0);
  const auto* before = counts_->fetch(product, start - kTrendSize);
  tell(product, start, views, before ? *before : 0);
  const auto* next = counts_->fetch(product, start + kTrendSize);
  if (next) tell(product, start + kTrendSize, *next, views);
}

void TrendKeeper::tell(const std::string& product, Timestamp start, std::int64_t views,
                       std::int64_t previous) {
  context().forward(Place{window_list(start), product}, growth_score(views, previous));
}

}  // namespace thalweg::shop
