#include "query/change_reader.h"

#include <algorithm>

#include "query/query_text.h"
#include "query/row_json.h"

namespace thalweg::internal {

namespace {

constexpr std::size_t kRowsMax = 1'000;  // Of a piece, about.
constexpr std::size_t kRowBytesMax = 256u << 10;
constexpr std::size_t kFetchRecords = 1'000;
constexpr std::size_t kFetchesMax = 20;  // Then others have their turn.
constexpr std::chrono::seconds kBeat{15};
constexpr std::chrono::milliseconds kSettleTime{200};
constexpr std::chrono::milliseconds kSettleLook{2};

/// "5.0.12": a position for each partition.
std::optional<std::vector<Offset>> parse_positions(std::string_view text) {
  std::vector<Offset> positions;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('.', begin), text.size());
    const auto offset = parse_integer(text.substr(begin, end - begin));
    if (!offset || *offset < 0) return std::nullopt;
    positions.push_back(*offset);
    begin = end + 1;
  }
  return positions;
}

}  // namespace

ChangeReader::Instant ChangeReader::step(Instant now) {
  if (over_ || !client_is_ready_) return Instant::max();
  switch (phase_) {
    case Phase::kBegin:
      return begin(now);
    case Phase::kSettling:
      return settle(now);
    case Phase::kRows:
      return send_rows();
    case Phase::kLive:
      return send_changes(now);
  }
  return Instant::max();
}

void ChangeReader::finish() {
  over_ = true;
  const std::lock_guard lock(mutex_);
  stream_.finish();
}

// --- The beginning ----------------------------------------------------------------------------

ChangeReader::Instant ChangeReader::begin(Instant now) {
  if (auto opened = open(now); !opened) {
    over_ = true;
    responder_.send(failed(opened.error()));
    return Instant::max();
  }
  return now;
}

Status ChangeReader::open(Instant now) {
  const auto topic = context_.log().topic(wish_.changelog);
  if (!topic) return std::unexpected(topic.error());
  consumer_ = context_.log().consumer({.client_id = "changes"});
  consumer_->set_wakeup([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->waits_for_news_.exchange(false)) self->wake_();
  });
  positions_.assign(static_cast<std::size_t>(topic->partitions), 0);
  reached_.assign(positions_.size(), 0);
  commits_.assign(positions_.size(), 0);
  if (auto assigned = wish_.last_event.empty() ? assign_from_now_on() : resume(); !assigned) {
    return assigned;
  }
  next_beat_ = now + kBeat;
  HttpResponse head{.content_type = "text/event-stream", .body = "retry: 1000\n\n"};
  head.headers.emplace_back("Cache-Control", "no-store");
  const std::lock_guard lock(mutex_);
  if (!over_) stream_ = responder_.stream(std::move(head));
  return {};
}

/// From the last record on: it tells the commit that views must have, and is sent to nobody.
Status ChangeReader::assign_from_now_on() {
  for (std::size_t p = 0; p < positions_.size(); ++p) {
    const TopicPartition partition{wish_.changelog, static_cast<std::int32_t>(p)};
    const auto range = context_.log().range(partition);
    if (!range) return std::unexpected(range.error());
    positions_[p] = range->end;
    reached_[p] = std::max(range->begin, range->end - 1);
    consumer_->assign(partition, reached_[p], static_cast<std::uint32_t>(p));
  }
  settled_.reset();
  phase_ = Phase::kSettling;
  return {};
}

Status ChangeReader::resume() {
  auto positions = parse_positions(wish_.last_event);
  if (!positions || positions->size() != positions_.size()) {
    return failure(ErrorCode::kInvalid, "Last-Event-ID '" + wish_.last_event +
                                            "' is none of this store's: its changelog has " +
                                            std::to_string(positions_.size()) + " partitions");
  }
  positions_ = *std::move(positions);
  reached_ = positions_;
  for (std::size_t p = 0; p < positions_.size(); ++p) {
    consumer_->assign({wish_.changelog, static_cast<std::int32_t>(p)}, positions_[p],
                      static_cast<std::uint32_t>(p));
  }
  phase_ = Phase::kLive;
  return {};
}

/// A commit is in the log a moment before it is in the store. Whoever reads rows after our first
/// byte, or gets them from us, must not miss it: so views catch up first. Where a commit cannot be
/// told (a store read back from disk, a task elsewhere), that moment is waited for. First of all
/// every transaction has to end that was open at the beginning: its records are before that, and
/// would be taken for rows already.
ChangeReader::Instant ChangeReader::settle(Instant now) {
  waits_for_news_ = true;
  for (bool more = true; more;) {
    batches_.clear();
    more = consumer_->fetch(batches_, kFetchRecords);
    for (const auto& batch : batches_) {
      // What came after the beginning is news already.
      auto& commit = commits_[batch.tag];
      if (commit == 0) commit = batch.commit;
      take(batch);
    }
  }
  if (!is_at_beginning()) return now + kSettleTime;
  if (!settled_) settled_ = now + kSettleTime;
  if (now < *settled_ && !views_have_everything()) return now + kSettleLook;
  if (wish_.snapshot) return begin_rows(now);
  phase_ = Phase::kLive;
  std::string piece;
  append_id(piece);
  send(std::move(piece));
  return Instant::max();
}

bool ChangeReader::is_at_beginning() const {
  for (std::size_t p = 0; p < positions_.size(); ++p) {
    if (reached_[p] < positions_[p]) return false;
  }
  return true;
}

bool ChangeReader::views_have_everything() {
  const auto views = context_.views(wish_.store);
  if (!views || views->size() != commits_.size()) return false;
  for (std::size_t p = 0; p < commits_.size(); ++p) {
    const auto& view = (*views)[p];
    if (!view || view->last_commit() < commits_[p]) return false;
  }
  return true;
}

ChangeReader::Instant ChangeReader::begin_rows(Instant now) {
  auto views = context_.views(wish_.store);
  bool complete = views.has_value();
  for (std::size_t p = 0; complete && p < views->size(); ++p) {
    auto& view = (*views)[p];
    if (view) continue;
    view = context_.view_elsewhere(wish_.store, p);
    scan_waits_ = true;
    complete = view != nullptr;
  }
  if (!complete) {
    end();
    return Instant::max();
  }
  scan_.emplace(*std::move(views), wish_.bounds);
  phase_ = Phase::kRows;
  return now;
}

// Rows elsewhere are waited for, as this thread must not: others follow stores too.
ChangeReader::Instant ChangeReader::send_rows() {
  if (!scan_waits_) {
    read_rows();
    return Instant::max();
  }
  client_is_ready_ = false;  // So nobody else calls before the rows are on their way.
  if (!context_.reader().post([self = shared_from_this()] { self->read_rows(); })) end();
  return Instant::max();
}

void ChangeReader::read_rows() {
  std::vector<StoreScan::Row> rows;
  if (!scan_->next(kRowsMax, rows)) {
    end();
    wake_();
    return;
  }
  std::string piece;
  for (const auto& row : rows) {
    piece += "data: ";
    append_row(wish_.store, row.partition, row.entry, piece);
    piece += "\n\n";
  }
  commit_ = std::max(commit_, scan_->last_commit());
  if (rows.size() < kRowsMax) {
    scan_.reset();
    phase_ = Phase::kLive;
    piece += "event: live\ndata: {}\n";
    append_id(piece);
  }
  next_beat_ = context_.clock().now() + kBeat;
  send(std::move(piece));
}

// --- Changes ----------------------------------------------------------------------------------

ChangeReader::Instant ChangeReader::send_changes(Instant now) {
  if (now < quiet_until_) return quiet_until_;
  waits_for_news_ = true;  // Before the log is read: nothing can come between.
  const bool more = read_log();
  if (lost_some()) return begin_anew();
  if (more && !is_full()) return now;
  std::string piece;
  if (rows_.empty()) {
    if (now < next_beat_) return next_beat_;
    next_beat_ = now + kBeat;
    // With where it is: a client that hears of nothing for hours need not come back from the past.
    append_id(piece);
    send(std::move(piece));
    return Instant::max();
  }
  for (const auto& [place, row] : rows_) {
    const auto& [key, partition] = place;
    if (!piece.empty()) piece += '\n';
    piece += "data: ";
    append_row(wish_.store, partition, key,
               row.value ? std::optional<BytesView>(*row.value) : std::nullopt, row.timestamp,
               piece);
    piece += '\n';
  }
  append_id(piece);
  rows_.clear();
  row_bytes_ = 0;
  if (!more) quiet_until_ = now + wish_.interval;
  next_beat_ = now + kBeat;
  send(std::move(piece));
  return Instant::max();
}

/// Reads on, until there is enough for a piece; false: to the end.
bool ChangeReader::read_log() {
  for (std::size_t i = 0; i < kFetchesMax && !is_full(); ++i) {
    batches_.clear();
    if (!consumer_->fetch(batches_, kFetchRecords)) return false;
    for (const auto& batch : batches_) take(batch);
  }
  return true;
}

void ChangeReader::take(const RecordBatch& batch) {
  Offset& position = positions_[batch.tag];
  for (const RecordView& record : batch.records) {
    if (record.offset < position) continue;
    keep(static_cast<std::int32_t>(batch.tag), record);
    commit_ = std::max(commit_, batch.commit);
  }
  position = std::max(position, batch.next);
  reached_[batch.tag] = std::max(reached_[batch.tag], batch.next);
}

void ChangeReader::keep(std::int32_t partition, const RecordView& record) {
  if (!record.key) return;
  if (wish_.bounds.from && *record.key < *wish_.bounds.from) return;
  if (wish_.bounds.to && *record.key >= *wish_.bounds.to) return;
  Row& row = rows_[{std::string(*record.key), partition}];
  row.timestamp = record.timestamp;
  row.value.reset();
  if (record.value) row.value.emplace(*record.value);
  row_bytes_ += record.key->size() + record.value.value_or("").size();
}

bool ChangeReader::is_full() const {
  return rows_.size() >= kRowsMax || row_bytes_ >= kRowBytesMax;
}

/// Whether the log has let go of what would come next.
bool ChangeReader::lost_some() {
  bool lost = false;
  ConsumerEvent event;
  while (consumer_->poll(event)) {
    lost |= event.kind == ConsumerEvent::Kind::kOutOfRange;
    if (event.kind == ConsumerEvent::Kind::kFailed) end();
  }
  return lost;
}

ChangeReader::Instant ChangeReader::begin_anew() {
  rows_.clear();
  row_bytes_ = 0;
  commits_.assign(commits_.size(), 0);
  if (!assign_from_now_on()) {
    end();
    return Instant::max();
  }
  send("event: reset\ndata: {}\n\n");
  return Instant::max();
}

/// Where the client is then, which ends an event.
void ChangeReader::append_id(std::string& piece) const {
  char separator = ' ';
  piece += "id:";
  for (const Offset position : positions_) {
    piece += separator;
    piece += std::to_string(position);
    separator = '.';
  }
  piece += "\n\n";
}

/// Once what it shows is durable. The next step comes when the client has taken it.
void ChangeReader::send(std::string piece) {
  client_is_ready_ = false;
  context_.when_durable(wish_.options, commit_,
                        [self = shared_from_this(), piece = std::move(piece)]() mutable {
                          const std::lock_guard lock(self->mutex_);
                          self->stream_.write(std::move(piece), [self](bool alive) {
                            if (!alive) self->over_ = true;
                            self->client_is_ready_ = true;
                            self->wake_();
                          });
                        });
}

/// Breaks off: the client comes back, and hears what is wrong.
void ChangeReader::end() {
  over_ = true;
  const std::lock_guard lock(mutex_);
  stream_ = {};
}

}  // namespace thalweg::internal
