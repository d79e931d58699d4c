#include "sale.h"

#include <algorithm>
#include <cstdio>

#include "json_text.h"
#include "random.h"

namespace thalweg::flashsale {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::size_t kWheelSlots = 1024;
constexpr milliseconds kTick{1};
constexpr milliseconds kSettlePause{250};
constexpr const char* kUntilDecided = "?wait=1000";  // The shop answers once there is news.
constexpr std::uint64_t kSideStream = 0x5eed;        // Keeps side draws apart from the orders'.

nanoseconds gap_of(double rate) {
  return nanoseconds(rate > 0 ? static_cast<std::int64_t>(1e9 / rate) : 0);
}

}  // namespace

Sale::Sale(const Shop& shop, const OrderPlan& plan, const Names& names, Journal& journal,
           SaleOptions options)
    : shop_(shop),
      plan_(plan),
      names_(names),
      journal_(journal),
      options_(options),
      gap_(gap_of(options.rate)),
      side_gap_(gap_of(options.side_rate)),
      timer_(shop.io),
      orders_(plan.orders()),
      wheel_(kWheelSlots) {
  result_.accept.reserve(plan.orders());
  result_.completion.reserve(plan.orders());
}

SaleResult Sale::run() {
  start_ = Clock::now() + kTick;
  load_ended_ = last_answer_ = start_;
  next_progress_ = start_ + std::chrono::seconds(1);
  tick();
  while (!is_over(Clock::now())) shop_.io.run_one();
  alive_.reset();
  timer_.cancel();
  shop_.client.abandon_all();  // A late answer would change what was given away.
  note_unresolved();
  result_.unfinished = open_;
  result_.load_seconds = std::chrono::duration<double>(last_answer_ - start_).count();
  return std::move(result_);
}

Sale::Clock::time_point Sale::intended(std::uint64_t index) const {
  return start_ + gap_ * static_cast<std::int64_t>(index);
}

bool Sale::is_over(Clock::time_point now) const {
  if (is_loading_) return false;
  return (open_ == 0 && open_sides_.empty()) || now >= load_ended_ + options_.drain;
}

void Sale::tick() {
  timer_.expires_after(kTick);
  // A tick that is due when the sale ends comes all the same, to nobody.
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
    if (error || alive.expired()) return;
    work(Clock::now());
    tick();
  });
}

void Sale::work(Clock::time_point now) {
  const bool stops = stops_.load(std::memory_order_relaxed);
  while (!stops && next_ < plan_.orders() && intended(next_) <= now) {
    ++result_.offered;
    ++open_;
    waiting_.fetch_add(1, std::memory_order_relaxed);
    offered_.fetch_add(1, std::memory_order_relaxed);
    send_order(next_++);
  }
  if (is_loading_ && (stops || next_ == plan_.orders())) {
    is_loading_ = false;
    load_ended_ = now;
  }
  while (is_loading_ && side_gap_.count() > 0 &&
         start_ + side_gap_ * static_cast<std::int64_t>(next_side_) <= now) {
    open_sides_[next_side_] = side_command(next_side_);
    send_side(next_side_++);
  }
  turn_wheel(now);
  show_progress(now);
}

void Sale::turn_wheel(Clock::time_point now) {
  if (now < start_) return;
  const auto until = static_cast<std::uint64_t>(duration_cast<milliseconds>(now - start_).count());
  for (; wheel_at_ < until; ++wheel_at_) {
    for (const Due& due : std::exchange(wheel_[wheel_at_ % kWheelSlots], {})) {
      switch (due.what) {
        case Due::What::kPoll:
          poll(due.index);
          break;
        case Due::What::kSend:
          send_order(due.index);
          break;
        case Due::What::kSide:
          send_side(due.index);
          break;
      }
    }
  }
}

void Sale::later(milliseconds delay, Due due) {
  const auto wait = std::clamp<std::int64_t>(delay.count(), 1, kWheelSlots - 1);
  const auto now =
      std::max<std::int64_t>(duration_cast<milliseconds>(Clock::now() - start_).count(),
                             static_cast<std::int64_t>(wheel_at_));
  // The wheel may lag behind the clock; a slot it has yet to pass within this turn is soon enough.
  const auto at = std::min(static_cast<std::uint64_t>(now + wait), wheel_at_ + kWheelSlots - 1);
  wheel_[at % kWheelSlots].push_back(due);
}

void Sale::send_order(std::uint64_t index) {
  const std::string body = order_body(plan_.order(index), names_);
  shop_.client.submit(HttpClient::Lane::kCommands,
                      shop_.writer.post("/orders", body, names_.order_key(index)),
                      [this, index](const Answer& answer) { order_answered(index, answer); });
}

void Sale::order_answered(std::uint64_t index, const Answer& answer) {
  if (answer.status == 0) {
    ++result_.failures[std::string(name_of(answer.failure))];
    return order_failed(index);
  }
  ++result_.statuses[answer.status];
  if (answer.status / 100 == 5) return order_failed(index);
  if (answer.status == 202) {
    const auto id = json_string_member(answer.body, "orderId");
    if (id && !id->empty()) return order_accepted(index, *id);
    ++result_.failures["202 without orderId"];
    return order_failed(index);
  }
  const bool was_unresolved = orders_[index].phase == Phase::kSettling;
  if (!was_unresolved) waiting_.fetch_sub(1, std::memory_order_relaxed);
  last_answer_ = Clock::now();
  orders_[index].phase = Phase::kRefused;
  ++result_.refused;
  --open_;
}

void Sale::order_accepted(std::uint64_t index, const std::string& id) {
  Tracked& order = orders_[index];
  const auto now = Clock::now();
  if (order.phase == Phase::kSettling) {
    ++result_.settled;
  } else {
    ++result_.accepted;
    result_.accept.add(now - intended(index));
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    last_answer_ = now;
  }
  order.phase = Phase::kAccepted;
  order.id = id;
  order.accepted_at = now;
  order.ledger_index = static_cast<std::uint32_t>(journal_.ledger().orders().size());
  const std::string body = order_body(plan_.order(index), names_);
  journal_.note(accepted_line("/orders", body, names_.order_key(index), id));
  result_.orders.push_back({OrderStatus::kProcessing, 0});
  later(options_.polls.first(), {Due::What::kPoll, index});
}

// No answer, or a 5xx: the order may or may not exist. Its key makes it safe to ask again.
void Sale::order_failed(std::uint64_t index) {
  Tracked& order = orders_[index];
  if (order.phase == Phase::kOffered && options_.retries) {
    order.phase = Phase::kRetried;
    ++result_.retries;
    return later(options_.retry_pause, {Due::What::kSend, index});
  }
  if (order.phase != Phase::kSettling) {
    order.phase = Phase::kSettling;
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    last_answer_ = Clock::now();
  }
  later(kSettlePause, {Due::What::kSend, index});
}

void Sale::poll(std::uint64_t index) {
  ++result_.polls;
  shop_.client.submit(HttpClient::Lane::kReads,
                      shop_.writer.get("/orders/" + orders_[index].id + kUntilDecided),
                      [this, index](const Answer& answer) { polled(index, answer); });
}

void Sale::polled(std::uint64_t index, const Answer& answer) {
  Tracked& order = orders_[index];
  if (answer.status == 404) ++result_.not_found;
  if (answer.status == 200) {
    result_.orders[order.ledger_index] = parse_order(answer.body);
    if (is_final(result_.orders[order.ledger_index].status)) {
      return finished(index, answer);
    }
  } else {
    ++result_.poll_errors;
  }
  const auto age = duration_cast<milliseconds>(Clock::now() - order.accepted_at);
  later(options_.polls.next_delay(age), {Due::What::kPoll, index});
}

void Sale::finished(std::uint64_t index, const Answer& answer) {
  Tracked& order = orders_[index];
  options_.polls.finished(duration_cast<milliseconds>(Clock::now() - order.accepted_at));
  order.phase = Phase::kFinished;
  --open_;
  result_.completion.add(Clock::now() - intended(index));
  if (result_.orders[order.ledger_index].status == OrderStatus::kCompleted) {
    ++result_.completed;
  } else {
    ++result_.cancelled;
    ++result_.reasons[json_string_member(answer.body, "reason").value_or("(none)")];
  }
  order.id = {};
}

Ledger::Unresolved Sale::side_command(std::uint64_t index) const {
  Draws draws(plan_.options().seed ^ kSideStream, index);
  const auto amount = std::to_string(1 + draws.below(5));
  const auto key = names_.run + "-s" + std::to_string(index);
  if (index % 2 == 0) {
    const auto product = names_.product(draws.below(plan_.products()));
    return {"/products/" + product + "/restock", "{\"quantity\":" + amount + "}", key};
  }
  const auto user = names_.user(draws.below(plan_.users()));
  return {"/users/" + user + "/deposit", "{\"amount\":" + amount + "}", key};
}

void Sale::send_side(std::uint64_t index) {
  const Ledger::Unresolved& command = open_sides_.at(index);
  shop_.client.submit(HttpClient::Lane::kCommands,
                      shop_.writer.post(command.path, command.body, command.key),
                      [this, index](const Answer& answer) {
                        if (!answer.ok()) {
                          return later(kSettlePause, {Due::What::kSide, index});
                        }
                        const Ledger::Unresolved& done = open_sides_.at(index);
                        journal_.note(accepted_line(done.path, done.body, done.key, {}));
                        open_sides_.erase(index);
                        ++result_.side_commands;
                      });
}

// What nobody knows the end of goes into the ledger as such: a later check settles it or fails.
void Sale::note_unresolved() {
  for (const auto& [index, command] : open_sides_) journal_.note(unresolved_line(command));
  for (std::uint64_t index = 0; index < next_; ++index) {
    const Phase phase = orders_[index].phase;
    if (phase != Phase::kOffered && phase != Phase::kRetried && phase != Phase::kSettling) continue;
    journal_.note(unresolved_line(
        {"/orders", order_body(plan_.order(index), names_), names_.order_key(index)}));
  }
  journal_.flush();
}

void Sale::show_progress(Clock::time_point now) {
  if (now < next_progress_) return;
  next_progress_ += std::chrono::seconds(1);
  journal_.flush();
  if (!options_.shows_progress) return;
  const auto seconds = duration_cast<std::chrono::seconds>(now - start_).count();
  std::fprintf(stderr, "%4lld s: offered %llu, accepted %llu, finished %llu, unanswered %llu\n",
               static_cast<long long>(seconds), static_cast<unsigned long long>(result_.offered),
               static_cast<unsigned long long>(result_.accepted + result_.settled),
               static_cast<unsigned long long>(result_.completed + result_.cancelled),
               static_cast<unsigned long long>(waiting()));
}

}  // namespace thalweg::flashsale
