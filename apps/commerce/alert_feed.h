#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <thalweg/runtime/log.h>
#include <thalweg/runtime/streams_application.h>

#include "inbox_feed.h"

namespace thalweg::shop {

inline constexpr const char* kAlertsDestination = "/topic/admin-alerts";

/// Tells operators of each alert that comes to `admin-alerts` while they listen: reads the topic
/// from its end, in a thread of its own. Thread-safe.
class AlertFeed {
 public:
  /// Takes an alert, without waiting; false: nobody listens there any more.
  using Tell = std::function<bool(const InboxItem& alert)>;
  using Listener = std::shared_ptr<const Tell>;

  explicit AlertFeed(Environment environment);
  ~AlertFeed();  ///< As close().

  /// From now on `tell` is called with each alert once it is durable: its number is that of no
  /// other.
  Listener add(Tell tell);
  /// It may still be told of an alert that is on its way.
  void remove(const Listener& listener);
  void close();

 private:
  /// Those who listen: alerts that wait to be durable may outlive the feed.
  class Listeners;

  void run();
  void tell(const RecordBatch& batch);

  const Environment environment_;
  const std::shared_ptr<Listeners> listeners_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  bool closing_ = false;
  std::int32_t partitions_ = 0;
  std::unique_ptr<LogConsumer> consumer_;  // Its wake-up uses the others.
  std::thread thread_;                     // Last, as it uses all of them.
};

}  // namespace thalweg::shop
