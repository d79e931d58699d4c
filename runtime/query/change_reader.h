#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <thalweg/runtime/http_server.h>

#include "query/query_context.h"
#include "query/store_scan.h"

namespace thalweg::internal {

/// What a client of GET /v1/stores/{store}/changes wants.
struct ChangeWish {
  StoreRef store;
  std::string changelog;
  ReadOptions options;
  StoreView::Scan bounds;  ///< Of keys.
  bool snapshot = false;   ///< Every row as it is comes first.
  /// Once a client has everything, news wait for so long: the newest of each key is enough.
  std::chrono::milliseconds interval{0};
  /// As the last event said that the client has; empty: from now on.
  std::string last_event;
};

/// One client that follows a store, by server-sent events.
///
/// The changelog itself is the queue: the next piece is read only when the client has taken the one
/// before, and has the newest value of each key that changed meanwhile. So a slow client holds a
/// piece of memory and nobody up, and misses values, but never the last one.
class ChangeReader : public std::enable_shared_from_this<ChangeReader> {
 public:
  using Instant = Clock::Instant;

  /// `wake` asks for a step() soon, from any thread.
  ChangeReader(QueryContext& context, ChangeWish wish, Responder responder,
               std::function<void()> wake)
      : context_(context),
        wish_(std::move(wish)),
        responder_(std::move(responder)),
        wake_(std::move(wake)) {}

  /// Does what can be done now, without waiting for the client. Returns when it wants to be called
  /// again unless it is woken before. Only the feed's thread calls it.
  Instant step(Instant now);
  /// Ends the answer. From any thread.
  void finish();
  bool is_over() const { return over_; }
  /// Lets go of the log, once it is over: never from a call of the log itself. Only the feed's
  /// thread calls it, or nobody else is left.
  void leave_log() { consumer_.reset(); }

 private:
  enum class Phase { kBegin, kSettling, kRows, kLive };
  struct Row {
    std::optional<std::string> value;
    Timestamp timestamp = kNoTimestamp;
  };

  Instant begin(Instant now);
  Status open(Instant now);
  Status assign_from_now_on();
  Status resume();
  Instant settle(Instant now);
  bool is_at_beginning() const;
  bool views_have_everything();
  Instant begin_rows(Instant now);
  Instant send_rows();
  void read_rows();
  Instant send_changes(Instant now);
  bool read_log();
  void take(const RecordBatch& batch);
  void keep(std::int32_t partition, const RecordView& record);
  bool is_full() const;
  bool lost_some();
  Instant begin_anew();
  void append_id(std::string& piece) const;
  void send(std::string piece);
  void end();

  QueryContext& context_;
  const ChangeWish wish_;
  Responder responder_;  // Until the stream begins.
  const std::function<void()> wake_;
  std::atomic<bool> over_ = false;
  std::atomic<bool> waits_for_news_ = false;
  std::atomic<bool> client_is_ready_ = true;
  std::mutex mutex_;  // Guards the stream.
  ResponseStream stream_;

  // What follows is the feed's thread's alone.
  Phase phase_ = Phase::kBegin;
  std::unique_ptr<LogConsumer> consumer_;
  std::vector<Offset> positions_;        // By partition: what is read next.
  std::vector<Offset> reached_;          // By partition: what is read up to.
  std::vector<CommitSequence> commits_;  // By partition: of its newest record at the beginning.
  std::optional<Instant> settled_;       // When views have everything at the latest.
  std::optional<StoreScan> scan_;
  bool scan_waits_ = false;  // Some of the rows are with other processes.
  // Read and not sent, by key and partition: several may have the same key, each its own row.
  std::map<std::pair<std::string, std::int32_t>, Row> rows_;
  std::size_t row_bytes_ = 0;
  CommitSequence commit_ = 0;  // The newest of what is not sent.
  std::vector<RecordBatch> batches_;
  Instant quiet_until_{};
  Instant next_beat_{};
};

}  // namespace thalweg::internal
