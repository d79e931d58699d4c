#include "alert_feed.h"

#include <algorithm>
#include <utility>

#include <boost/json/value.hpp>

#include <thalweg/runtime/json_text.h>

#include "topics.h"

namespace thalweg::shop {
namespace {

constexpr std::size_t kFetchRecords = 1'000;

}  // namespace

class AlertFeed::Listeners {
 public:
  void add(Listener listener) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(listener));
  }
  void remove(const Listener& listener) {
    const std::lock_guard lock(mutex_);
    std::erase(all_, listener);
  }
  /// Without the lock, as whoever is told may end and be removed by that.
  void tell(const std::vector<InboxItem>& alerts) {
    std::vector<Listener> all;
    {
      const std::lock_guard lock(mutex_);
      all = all_;
    }
    for (const auto& listener : all) {
      const bool listens = std::ranges::all_of(alerts, *listener);
      if (!listens) remove(listener);
    }
  }

 private:
  std::mutex mutex_;
  std::vector<Listener> all_;
};

AlertFeed::AlertFeed(Environment environment)
    : environment_(std::move(environment)),
      listeners_(std::make_shared<Listeners>()),
      consumer_(environment_.log->consumer({.client_id = "alert-feed"})) {
  consumer_->set_wakeup([this] {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_all();
  });
  const auto topic = environment_.log->topic(topics::kAdminAlerts);
  partitions_ = topic ? topic->partitions : 0;
  for (std::int32_t p = 0; p < partitions_; ++p) {
    const TopicPartition partition{topics::kAdminAlerts, p};
    const auto range = environment_.log->range(partition);
    consumer_->assign(partition, range ? range->end : 0, static_cast<std::uint32_t>(p));
  }
  thread_ = std::thread([this] { run(); });
}

AlertFeed::~AlertFeed() { close(); }

void AlertFeed::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

AlertFeed::Listener AlertFeed::add(Tell tell) {
  auto listener = std::make_shared<const Tell>(std::move(tell));
  listeners_->add(listener);
  return listener;
}

void AlertFeed::remove(const Listener& listener) { listeners_->remove(listener); }

void AlertFeed::run() {
  std::vector<RecordBatch> batches;
  for (;;) {
    batches.clear();
    const bool some = consumer_->fetch(batches, kFetchRecords);
    for (const auto& batch : batches) tell(batch);
    std::unique_lock lock(mutex_);
    if (!some) changed_.wait(lock, [this] { return closing_ || woken_; });
    woken_ = false;
    if (closing_) return;
  }
}

void AlertFeed::tell(const RecordBatch& batch) {
  std::vector<InboxItem> alerts;
  for (const RecordView& record : batch.records) {
    // Others may have written it, and what is no JSON would be none in a message either.
    if (!record.value || !parse_json(*record.value)) continue;
    InboxItem alert{record.offset * partitions_ + batch.tag, kAlertsDestination, {}};
    alert.notice.body.assign(*record.value);
    alerts.push_back(std::move(alert));
  }
  if (alerts.empty()) return;
  environment_.log->durability().when_durable(
      batch.commit,
      [listeners = listeners_, alerts = std::move(alerts)] { listeners->tell(alerts); });
}

}  // namespace thalweg::shop
