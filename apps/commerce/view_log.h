#pragma once

#include <string>

#include <thalweg/runtime/async_producer.h>
#include <thalweg/runtime/clock.h>

#include "view_model.h"

namespace thalweg::shop {

/// Writes views to `view-log-topic` in a thread of its own, so that whoever looks at a product
/// waits for nothing. A view that cannot be written is logged and lost. Thread-safe.
class ViewLog {
 public:
  ViewLog(Log& log, Clock& clock) : clock_(clock), producer_(log, "view-log") {}

  /// Keyed by the product, as the views of one are counted in one place.
  void publish(const View& view);
  /// Writes what was published.
  void close() { producer_.close(); }

 private:
  Clock& clock_;
  AsyncProducer producer_;
};

}  // namespace thalweg::shop
