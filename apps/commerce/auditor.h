#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <thalweg/runtime/http_server.h>
#include <thalweg/runtime/streams_application.h>

#include "audit_book.h"
#include "shop_config.h"

namespace thalweg::shop {

/// Answers `GET /audit`: compares what the topics add up to with what the stores hold.
///
/// Reads the topics from where the last audit stopped, in a thread of its own and only when asked.
/// An order under way is in some places already and in others not yet: so two sides that differ are
/// looked at again, and count as a violation when they differ and stand still. What is still moving
/// at the end is reported as unsettled.
class Auditor {
 public:
  /// `coupons` may be null: then nothing is said of them.
  Auditor(StreamsApplication& orders, StreamsApplication* coupons, const ShopConfig& config);
  ~Auditor();  ///< As close().

  void audit(Responder responder);
  void close();

 private:
  class Reader;
  struct Report;

  void run();
  HttpResponse audit();
  /// Reads the topics up to their ends; an error says what is not there.
  Status read_topics();
  Status compare(Report& report);
  Status compare_products(Report& report);
  Status compare_users(Report& report);
  Status compare_orders(Report& report);
  Status compare_coupons(Report& report);
  bool pause();

  StreamsApplication& orders_;
  StreamsApplication* coupons_;
  std::int64_t overdue_after_ms_;
  AuditBook book_;
  std::unique_ptr<Reader> reader_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Responder> waiting_;
  std::atomic<bool> closing_ = false;  ///< Set under the mutex.
  std::thread thread_;  // Last, as it uses the others.
};

}  // namespace thalweg::shop
