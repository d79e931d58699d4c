#include "auditor.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "text.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

using Instant = Clock::Instant;
using namespace std::chrono_literals;

constexpr auto kPause = 100ms;
constexpr auto kStandsStill = 1500ms;  ///< As long, and a difference is no order under way.
constexpr auto kPatience = 8s;
constexpr std::size_t kListed = 100;  ///< Keys a report lists by name.
constexpr std::size_t kFetchRecords = 5'000;
constexpr std::int64_t kOverdueGraceMs = 15'000;

}  // namespace

/// Reads the book's topics from where it stopped.
class Auditor::Reader {
 public:
  Reader(Log& log, Clock& clock, const std::atomic<bool>& stop)
      : log_(log), clock_(clock), stop_(stop), consumer_(log.consumer({.client_id = "auditor"})) {
    consumer_->set_wakeup([this] {
      const std::lock_guard lock(mutex_);
      woken_ = true;
      changed_.notify_all();
    });
  }

  Status read_to_ends(AuditBook& book) {
    if (auto found = find_ends(); !found) return found;
    const auto until = clock_.now() + 30s;
    while (!at_ends()) {
      if (stop_) return failure(ErrorCode::kUnavailable, "the shop is closing");
      if (clock_.now() > until) return failure(ErrorCode::kUnavailable, "topics take too long");
      batches_.clear();
      if (!consumer_->fetch(batches_, kFetchRecords)) {
        wait();
        continue;
      }
      for (const auto& batch : batches_) add(batch, book);
    }
    return {};
  }

 private:
  struct Input {
    TopicPartition partition;
    Offset position = 0;
    Offset end = 0;
  };

  Status find_ends() {
    for (const auto& name : AuditBook::topics()) {
      const auto topic = log_.topic(name);
      if (!topic) continue;  // Nothing was ever written there.
      for (std::int32_t p = 0; p < topic->partitions; ++p) {
        const TopicPartition partition{name, p};
        const auto range = log_.range(partition);
        if (!range) return std::unexpected(range.error());
        auto input = std::ranges::find(inputs_, partition, &Input::partition);
        if (input == inputs_.end()) {
          if (range->begin > 0) {
            return failure(ErrorCode::kUnavailable,
                           to_string(partition) + " no longer holds its first records");
          }
          consumer_->assign(partition, 0, static_cast<std::uint32_t>(inputs_.size()));
          inputs_.push_back({partition, 0, 0});
          input = std::prev(inputs_.end());
        }
        input->end = range->end;
      }
    }
    return {};
  }
  bool at_ends() const {
    return std::ranges::all_of(inputs_, [](const Input& in) { return in.position >= in.end; });
  }
  void add(const RecordBatch& batch, AuditBook& book) {
    Input& input = inputs_[batch.tag];
    for (const RecordView& record : batch.records) {
      if (record.value) {
        book.add(input.partition.topic, record.key.value_or(BytesView()), *record.value,
                 record.timestamp, input.partition.partition, record.offset);
      }
    }
    input.position = batch.next;
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 20ms, [this] { return std::exchange(woken_, false); });
  }

  Log& log_;
  Clock& clock_;
  const std::atomic<bool>& stop_;
  std::vector<Input> inputs_;
  std::vector<RecordBatch> batches_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  std::unique_ptr<LogConsumer> consumer_;  // Last: its wake-up uses the others.
};

/// One look at all invariants.
struct Auditor::Report {
  struct Invariant {
    std::int64_t keys = 0;
    std::int64_t left = 0;
    std::int64_t right = 0;
    std::vector<Finding> listed;
  };
  std::map<std::string, Invariant> invariants;
  std::vector<Finding> differing;

  void add(Finding finding) {
    Invariant& invariant = invariants[finding.invariant];
    ++invariant.keys;
    invariant.left += finding.left;
    invariant.right += finding.right;
    if (!finding.holds()) differing.push_back(finding);
    if (invariant.listed.size() < kListed) invariant.listed.push_back(std::move(finding));
  }
};

Auditor::Auditor(StreamsApplication& orders, StreamsApplication* coupons, const ShopConfig& config)
    : orders_(orders),
      coupons_(coupons),
      overdue_after_ms_(config.timer_resolution.count() + kOverdueGraceMs),
      book_(config.idempotency_retention),
      thread_([this] { run(); }) {}

Auditor::~Auditor() { close(); }

void Auditor::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Auditor::audit(Responder responder) {
  const std::lock_guard lock(mutex_);
  if (closing_) return;
  waiting_.push_back(std::move(responder));
  changed_.notify_all();
}

void Auditor::run() {
  for (;;) {
    std::vector<Responder> waiting;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_.load() || !waiting_.empty(); });
      if (closing_) return;
      waiting = std::exchange(waiting_, {});
    }
    const HttpResponse response = audit();
    for (auto& responder : waiting) responder.send(response);
  }
}

bool Auditor::pause() {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, kPause, [this] { return closing_.load(); });
}

namespace {

void append_finding(const Finding& finding, std::string& out) {
  JsonWriter(out)
      .text("invariant", finding.invariant)
      .text("key", finding.key)
      .number("left", finding.left)
      .number("right", finding.right)
      .end();
}

/// How many there are, and where the newest.
void append_unread(const AuditBook::Unread& unread, std::string& out) {
  JsonWriter json(out);
  json.number("count", unread.count);
  json.value("newest", [&](std::string& list) {
    append_array(unread.newest, list, [](const RecordOrigin& at, std::string& row) {
      JsonWriter(row)
          .text("topic", at.topic)
          .number("partition", at.partition)
          .number("offset", at.offset)
          .end();
    });
  });
  json.end();
}

/// Differences seen before, with the moment since which their sides have not moved.
using Standing = std::map<std::pair<std::string, std::string>, std::pair<Finding, Instant>>;

/// What differs now, each with the time since when it has been as it is.
Standing standing_at(Instant now, const std::vector<Finding>& differing, const Standing& before) {
  Standing standing;
  for (const auto& finding : differing) {
    const auto key = std::pair(finding.invariant, finding.key);
    const auto known = before.find(key);
    const bool same = known != before.end() && known->second.first == finding;
    standing.emplace(key, std::pair(finding, same ? known->second.second : now));
  }
  return standing;
}

bool all_stand_still(Instant now, const Standing& standing) {
  return std::ranges::all_of(
      standing, [now](const auto& entry) { return now - entry.second.second >= kStandsStill; });
}

}  // namespace

HttpResponse Auditor::audit() {
  Clock& clock = *orders_.environment().clock;
  const auto until = clock.now() + kPatience;
  Standing standing;
  Report report;
  for (;;) {
    report = {};
    if (auto read = read_topics(); !read) return problem(503, "unavailable", read.error().message);
    if (auto done = compare(report); !done) {
      return problem(503, "unavailable", done.error().message);
    }
    standing = standing_at(clock.now(), report.differing, standing);
    if (all_stand_still(clock.now(), standing) || clock.now() >= until || !pause()) break;
  }
  std::vector<Finding> violations;
  for (const auto& [key, entry] : standing) {
    if (clock.now() - entry.second >= kStandsStill) violations.push_back(entry.first);
  }
  HttpResponse response{.status = violations.empty() ? 200 : 500};
  JsonWriter json(response.body);
  if (!violations.empty()) {
    response.content_type = "application/problem+json";
    json.number("status", 500).text("title", "Internal Server Error").text("code", "audit_failed");
    json.text("detail", violations[0].invariant + " does not hold for " + violations[0].key);
  }
  json.boolean("ok", violations.empty());
  json.value("violations",
             [&](std::string& out) { append_array(violations, out, append_finding); });
  json.number("unsettled", static_cast<std::int64_t>(standing.size() - violations.size()));
  json.value("unreadableOfOthers",
             [&](std::string& out) { append_unread(book_.unread_of_others(), out); });
  json.value("invariants", [&](std::string& out) {
    append_array(report.invariants, out, [](const auto& entry, std::string& row) {
      JsonWriter writer(row);
      writer.text("invariant", entry.first).number("keys", entry.second.keys);
      writer.number("left", entry.second.left).number("right", entry.second.right);
      writer.value("sides", [&](std::string& list) {
        append_array(entry.second.listed, list, append_finding);
      });
      writer.end();
    });
  });
  json.end();
  return response;
}

Status Auditor::read_topics() {
  const Environment& environment = orders_.environment();
  if (!reader_) {
    reader_ = std::make_unique<Reader>(*environment.log, *environment.clock, closing_);
  }
  return reader_->read_to_ends(book_);
}

Status Auditor::compare(Report& report) {
  if (auto done = compare_products(report); !done) return done;
  if (auto done = compare_users(report); !done) return done;
  if (auto done = compare_orders(report); !done) return done;
  if (coupons_) {
    if (auto done = compare_coupons(report); !done) return done;
  }
  report.add(audit_unread(book_));
  return {};
}

Status Auditor::compare_products(Report& report) {
  auto store = orders_.store<std::string, Stock>(stores::kStock);
  if (!store) return std::unexpected(store.error());
  std::int64_t rows = 0;
  auto done = store->for_each([&](const std::string& id, const Stock& stock, Timestamp) {
    ++rows;
    const auto book = book_.products().find(id);
    report.add(audit_stock_row(id, stock));
    report.add(audit_product(
        id, book == book_.products().end() ? AuditBook::Product{} : book->second, stock));
  });
  if (!done) return done;
  report.add({"products in topics = products in the store", "products",
              std::ranges::count_if(book_.products(),
                                    [](const auto& entry) { return entry.second.exists; }),
              rows});
  return {};
}

Status Auditor::compare_users(Report& report) {
  auto store = orders_.store<std::string, Account>(stores::kAccounts);
  if (!store) return std::unexpected(store.error());
  return store->for_each([&](const std::string& id, const Account& account, Timestamp) {
    const auto book = book_.users().find(id);
    report.add(
        audit_user(id, book == book_.users().end() ? AuditBook::User{} : book->second, account));
  });
}

Status Auditor::compare_coupons(Report& report) {
  auto store = coupons_->store<std::string, CouponCounts>(stores::kCouponCounts);
  if (!store) return std::unexpected(store.error());
  for (const auto& [id, book] : book_.coupons()) {
    const auto counts = store->get(id);
    if (!counts) return std::unexpected(counts.error());
    report.add(audit_coupon(id, book, *counts ? (*counts)->value : CouponCounts{}));
    report.add(audit_holders(id, book));
  }
  return {};
}

Status Auditor::compare_orders(Report& report) {
  auto store = orders_.store<std::string, Order>(stores::kOrders);
  if (!store) return std::unexpected(store.error());
  const std::int64_t now = to_millis(orders_.environment().clock->wall_clock());
  std::int64_t open = 0;
  for (const auto& [id, deadline] : book_.open()) {
    const auto row = store->get(id);
    if (!row) return std::unexpected(row.error());
    const bool ended = *row && is_final((*row)->value.status);
    if (*row && !ended) ++open;
    if (now > deadline + overdue_after_ms_) {
      report.add({"every order ends", id, 1, ended ? 1 : 0});
    }
  }
  report.add(audit_orders(book_, open));
  for (auto& finding : audit_payments(book_)) report.add(std::move(finding));
  return {};
}

}  // namespace thalweg::shop
