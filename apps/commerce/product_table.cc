#include "product_table.h"

#include "topics.h"

namespace thalweg::shop {

KTable<std::string, ProductInfo> product_table(StreamsBuilder& builder, const char* store) {
  return builder.stream<std::string, ProductEvent>(topics::kProductEvents)
      .map_values(
          [](const ProductEvent& event) {
            return ProductInfo{event.name, event.price};
          },
          {.name = "products-of-events"})
      .to_table({.name = "keep-products", .store = store});
}

}  // namespace thalweg::shop
