#include "product_table.h"

#include "public_input.h"
#include "topics.h"

namespace thalweg::shop {

KTable<std::string, ProductInfo> product_table(StreamsBuilder& builder, const char* store,
                                               const ShopConfig& config) {
  return builder
      .stream<std::string, ProductEvent>(topics::kProductEvents,
                                         {.timestamp_extractor = TimeOfOthers(config)})
      .map_values(
          [](const ProductEvent& event) {
            return ProductInfo{event.name, event.price};
          },
          {.name = "products-of-events"})
      .to_table({.name = "keep-products", .store = store});
}

}  // namespace thalweg::shop
