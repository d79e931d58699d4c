#include "view_log.h"

#include <spdlog/spdlog.h>

#include "topics.h"

namespace thalweg::shop {

void ViewLog::publish(const View& view) {
  std::string bytes;
  bytes.reserve(160);
  PublicViewSerde().serialize(view, bytes);
  producer_.send(topics::kViewLog, view.product_id, std::move(bytes), clock_.wall_clock(), {},
                 [](const Result<AsyncProducer::Sent>& sent) {
                   if (!sent) spdlog::warn("a view is lost: {}", sent.error().message);
                 });
}

}  // namespace thalweg::shop
