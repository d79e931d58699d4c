#include <thalweg/topology/streams_builder.h>
#include <thalweg/topology/time_windowed_kstream.h>

#include "product_table.h"
#include "public_input.h"
#include "rank_index.h"
#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

using Id = std::string;
using Units = KStream<Id, std::int64_t>;
using std::chrono::hours;

/// What was sold ever, with the products' names.
void rank_all_time(StreamsBuilder& builder, const Units& units,
                   const KTable<Id, ProductInfo>& products) {
  const auto sold =
      units.group_by_key().reduce(sum, {.name = "add-up-units", .store = "units-sold"});
  sold.left_join(products,
                 [](std::int64_t units_sold, const ProductInfo* product) {
                   return SoldProduct{product ? product->name : "", units_sold};
                 },
                 {.name = "units-with-products", .store = stores::kSoldProducts});
  keep_ranked(builder,
              sold.to_stream().map(
                  [](const Id& id, const std::optional<std::int64_t>& total) {
                    return std::pair(Place{kAllTime, id}, total);
                  },
                  {.name = "places-of-all-time"}),
              stores::kRankingOfAllTime);
}

void rank_windows(StreamsBuilder& builder, const Units& units, const std::string& period,
                  TimeWindows windows, const char* store, std::chrono::milliseconds kept) {
  const auto sold = units.group_by_key().windowed_by(windows).reduce(
      sum, {.name = "add-up-units-of-a-" + period, .store = "units-sold-by-" + period});
  keep_ranked(builder,
              sold.to_stream().map(
                  [](const Windowed<Id>& id, const std::optional<std::int64_t>& total) {
                    return std::pair(Place{window_list(id.window.start), id.key}, total);
                  },
                  {.name = "places-of-a-" + period}),
              store, kept);
}

}  // namespace

Topology build_ranking(const ShopConfig& config) {
  StreamsBuilder builder;
  const auto products = product_table(builder, stores::kProducts, config);
  const auto units = builder
                         .stream<Id, CompletedOrder>(topics::kOrderCompleted,
                                                     {.timestamp_extractor = TimeOfOthers(config)})
                         .flat_map(units_by_product, {.name = "units-by-product"})
                         .repartition({.name = "units-by-product"});
  rank_all_time(builder, units, products);
  rank_windows(builder, units, "day", TimeWindows::of_size_and_grace(hours(24), hours(7 * 24)),
               stores::kRankingByDay, hours(92 * 24));
  rank_windows(builder, units, "hour", TimeWindows::of_size_and_grace(hours(1), hours(24)),
               stores::kRankingByHour, hours(8 * 24));
  return builder.build();
}

}  // namespace thalweg::shop
