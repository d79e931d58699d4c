#include "inbox_feed.h"

#include <algorithm>
#include <utility>

#include <thalweg/schemas/partitioning.h>

#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

constexpr std::size_t kPage = 100;
constexpr std::size_t kFetchRecords = 1'000;
constexpr std::chrono::seconds kBeat{15};

}  // namespace

// --- One reader -----------------------------------------------------------------------------

bool InboxReader::is_over() const {
  const std::lock_guard lock(mutex_);
  return over_;
}

/// Whether the caller may send now; if not, news are not forgotten.
bool InboxReader::begin(bool news) {
  const std::lock_guard lock(mutex_);
  if (over_) return false;
  if (!busy_) return busy_ = true;
  news_ |= news;
  return false;
}

void InboxReader::catch_up() {
  if (begin(true)) read_on();
}

void InboxReader::read_on() {
  if (!run_([self = shared_from_this()] { self->send_page(); })) finish();
}

void InboxReader::beat() {
  if (!begin(false)) return;
  sink_->beat([self = shared_from_this()](bool alive) { self->taken(alive); });
}

void InboxReader::stop() {
  const std::lock_guard lock(mutex_);
  over_ = true;
}

void InboxReader::finish() {
  stop();
  sink_->finish();
}

void InboxReader::send_page() {
  const auto views = notifications_.all_views(stores::kInbox);
  if (!views) return rest();
  const auto partition = partition_of(wish_.user_id, static_cast<std::int32_t>(views->size()));
  const auto& view = (*views)[static_cast<std::size_t>(partition)];
  if (!view) return rest();
  auto page = next_page(*view);
  if (page.empty()) return rest();
  notifications_.environment().log->durability().when_durable(
      view->last_commit(),
      [self = shared_from_this(), page = std::move(page)] { self->send(page); });
}

/// What comes next of what is wished; empty: nothing yet.
std::vector<InboxItem> InboxReader::next_page(const StoreView& view) {
  std::vector<InboxItem> items;
  std::string end = inbox_prefix(wish_.user_id);
  end.back() = '\n' + 1;
  while (items.empty()) {
    const auto page = view.scan(
        {.from = inbox_key(wish_.user_id, wish_.after + 1), .to = end, .limit = kPage});
    if (!page || page->empty()) break;
    for (const auto& entry : *page) {
      InboxItem item{number_of_inbox_key(entry.key), "/queue/notifications", {}};
      Serde<Notice>::deserialize(entry.value, item.notice);
      wish_.after = item.number;
      if (!wish_.order_id.empty()) {
        if (item.notice.order_id != wish_.order_id) continue;
        item.destination = "/topic/order/" + wish_.order_id;
      }
      items.push_back(std::move(item));
    }
  }
  return items;
}

void InboxReader::send(const std::vector<InboxItem>& page) {
  sink_->send(page, live_, [self = shared_from_this()](bool alive) { self->taken(alive); });
}

void InboxReader::taken(bool alive) {
  if (!alive || is_over()) return stop();
  read_on();  // There may be another page.
}

/// Nothing more to send, unless something came since the store was read.
void InboxReader::rest() {
  live_ = true;
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(news_, false)) {
      busy_ = false;
      return;
    }
  }
  send_page();
}

// --- All of them ----------------------------------------------------------------------------

InboxFeed::InboxFeed(StreamsApplication& notifications, InboxReader::Run run_soon)
    : notifications_(notifications),
      run_soon_(std::move(run_soon)),
      consumer_(notifications.environment().log->consumer({.client_id = "inbox-feed"})) {
  consumer_->set_wakeup([this] {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_all();
  });
  Log& log = *notifications.environment().log;
  const auto topic = log.topic(topics::kInbox);
  for (std::int32_t p = 0; topic && p < topic->partitions; ++p) {
    partitions_.push_back({topics::kInbox, p});
    const auto range = log.range(partitions_.back());
    rung_.push_back(range ? range->end : 0);
    consumer_->assign(partitions_.back(), rung_.back(), static_cast<std::uint32_t>(p));
  }
  thread_ = std::thread([this] { run(); });
}

InboxFeed::~InboxFeed() { close(); }

void InboxFeed::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void InboxFeed::add(std::shared_ptr<InboxReader> reader) {
  const auto count = static_cast<std::int32_t>(partitions_.size());
  const auto partition =
      static_cast<std::size_t>(count > 0 ? partition_of(reader->user_id(), count) : 0);
  bool finished = false;
  Offset rung = 0;
  {
    const std::lock_guard lock(mutex_);
    finished = finished_;
    if (!finished) readers_[reader->user_id()].push_back(reader);
    if (count > 0) rung = rung_[partition];
  }
  if (finished) return reader->finish();
  reader->catch_up();
  // Of what was rung for before it was known the store may show the last only later. For all that
  // comes, it is rung.
  if (rung > 0) ring_when_processed(partitions_[partition], rung - 1, {std::move(reader)});
}

void InboxFeed::remove(InboxReader& reader) {
  reader.stop();
  Readers removed;  // Go without the lock.
  const std::lock_guard lock(mutex_);
  const auto user = readers_.find(reader.user_id());
  if (user == readers_.end()) return;
  auto& readers = user->second;
  const auto found = std::ranges::find(readers, &reader, &std::shared_ptr<InboxReader>::get);
  if (found == readers.end()) return;
  removed.push_back(std::move(*found));
  readers.erase(found);
  if (readers.empty()) readers_.erase(user);
}

InboxFeed::Readers InboxFeed::readers_of(std::string_view user_id) {
  const std::lock_guard lock(mutex_);
  const auto found = readers_.find(std::string(user_id));
  return found == readers_.end() ? Readers{} : found->second;
}

void InboxFeed::run() {
  std::vector<RecordBatch> batches;
  Clock& clock = *notifications_.environment().clock;
  auto next_beat = clock.now() + kBeat;
  for (;;) {
    batches.clear();
    const bool some = consumer_->fetch(batches, kFetchRecords);
    for (const auto& batch : batches) ring(batch);
    if (clock.now() >= next_beat) {
      beat_all();
      next_beat = clock.now() + kBeat;
    }
    std::unique_lock lock(mutex_);
    if (!some) {
      changed_.wait_for(lock, next_beat - clock.now(), [this] { return closing_ || woken_; });
    }
    woken_ = false;
    if (closing_) return;
  }
}

void InboxFeed::ring(const RecordBatch& batch) {
  if (batch.records.empty()) return;
  {
    // Before any reader is looked up: one that comes later sees to what is in the batch by itself.
    const std::lock_guard lock(mutex_);
    rung_[batch.tag] = batch.records.back().offset + 1;
  }
  for (const RecordView& record : batch.records) {
    auto readers = readers_of(user_of_inbox_key(record.key.value_or(BytesView())));
    if (readers.empty()) continue;
    ring_when_processed(partitions_[batch.tag], record.offset, std::move(readers));
  }
}

/// The store shows a record once the application has read it, too.
void InboxFeed::ring_when_processed(const TopicPartition& partition, Offset offset,
                                    Readers readers) {
  notifications_.when_processed(
      partition, offset,
      [this, readers] {
        for (const auto& reader : readers) {
          run_soon_([reader] { reader->catch_up(); });
        }
      },
      [readers] {
        return std::ranges::all_of(readers, [](const auto& reader) { return reader->is_over(); });
      });
}

/// Those that are over are forgotten.
InboxFeed::Readers InboxFeed::all_readers() {
  Readers all;
  const std::lock_guard lock(mutex_);
  for (auto user = readers_.begin(); user != readers_.end();) {
    std::erase_if(user->second, [](const auto& reader) { return reader->is_over(); });
    all.insert(all.end(), user->second.begin(), user->second.end());
    user = user->second.empty() ? readers_.erase(user) : std::next(user);
  }
  return all;
}

void InboxFeed::beat_all() {
  for (const auto& reader : all_readers()) reader->beat();
}

void InboxFeed::finish_all() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  for (const auto& reader : all_readers()) reader->finish();
}

}  // namespace thalweg::shop
