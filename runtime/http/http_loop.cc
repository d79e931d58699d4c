#include "http/http_loop.h"

#include <algorithm>
#include <ctime>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "http/http_connection.h"
#include "this_thread.h"

namespace thalweg::internal {

namespace {

std::string http_date(Timestamp now) {
  const auto seconds = static_cast<std::time_t>(to_millis(now) / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday], parts.tm_mday,
                     kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                     parts.tm_sec);
}

constexpr std::chrono::milliseconds kStopTick{5};

// Deadlines are kept to about an eighth of the shortest.
std::chrono::milliseconds tick_interval_of(const HttpServerLimits& limits) {
  const auto shortest = std::min({limits.header_time, limits.body_time, limits.idle_time,
                                  limits.answer_time, limits.write_time});
  return std::clamp(shortest / 8, std::chrono::milliseconds(2), std::chrono::milliseconds(250));
}

}  // namespace

HttpLoop::HttpLoop(std::shared_ptr<HttpShared> shared)
    : shared_(std::move(shared)),
      work_(asio::make_work_guard(io_)),
      timer_(io_),
      tick_interval_(tick_interval_of(shared_->options.limits)) {}

HttpLoop::~HttpLoop() = default;

void HttpLoop::count_in(MetricsRegistry& metrics, int number) {
  const auto thread = std::to_string(number);
  for (int hundreds = 0; hundreds < 6; ++hundreds) {
    requests_.push_back(
        hundreds < 2 ? nullptr
                     : &metrics.counter(
                           "thalweg_http_requests_total", "HTTP requests answered, by status.",
                           {{"status", std::to_string(hundreds) + "xx"}, {"thread", thread}}));
  }
  latency_ =
      &metrics.histogram("thalweg_http_request_duration_seconds",
                         "Time from the end of a request to its answer.", {{"thread", thread}});
  open_ = &metrics.gauge("thalweg_http_connections", "Open HTTP connections.",
                         {{"thread", thread}});
}

void HttpLoop::start(int number, MetricsRegistry* metrics) {
  if (metrics) count_in(*metrics, number);
  date_ = http_date(system_clock().wall_clock());
  schedule_tick();
  thread_ = std::thread([this, number] {
    name_this_thread("http-" + std::to_string(number));
    thread_id_.store(std::this_thread::get_id());
    for (;;) {
      try {
        io_.run();
        return;
      } catch (const std::exception& error) {
        spdlog::error("http: {}", error.what());
      }
    }
  });
}

void HttpLoop::begin_stop(Clock::Instant deadline) {
  asio::post(io_, [this, deadline] {
    stopping_ = true;
    stop_deadline_ = deadline;
    const auto connections = connections_;
    for (const auto& connection : connections) connection->begin_stop();
    work_.reset();
    tick_interval_ = std::min(tick_interval_, kStopTick);
    timer_.cancel();  // Which ticks at once, and from now on more often.
  });
}

void HttpLoop::join() {
  if (thread_.joinable()) thread_.join();
  std::vector<HttpMail> late;
  {
    const std::lock_guard lock(mutex_);
    mail_closed_ = true;
    late.swap(mail_);
  }
  for (auto& mail : late) {
    if (mail.ready) mail.ready(false);
    if (mail.on_bytes) mail.on_bytes({});
  }
}

void HttpLoop::add(asio::ip::tcp::socket socket) {
  auto connection = std::make_shared<HttpConnection>(shared_from_this(), std::move(socket));
  connection->set_index(connections_.size());
  connections_.push_back(connection);
  if (open_) open_->set(static_cast<double>(connections_.size()));
  if (stopping_) {
    connection->close();
  } else {
    connection->start();
  }
}

void HttpLoop::remove(HttpConnection& connection) {
  const auto index = connection.index();
  const auto keep = std::move(connections_[index]);  // Until the end of this function.
  connections_[index] = std::move(connections_.back());
  if (connections_[index]) connections_[index]->set_index(index);
  connections_.pop_back();
  shared_->connections.fetch_sub(1);
  if (open_) open_->set(static_cast<double>(connections_.size()));
  if (stopping_ && connections_.empty()) timer_.cancel();
}

bool HttpLoop::post(HttpMail&& mail) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (mail_closed_) return false;
    first = mail_.empty();
    mail_.push_back(std::move(mail));
  }
  if (first) asio::post(io_, [this] { deliver_mail(); });
  return true;
}

void HttpLoop::deliver_mail() {
  {
    const std::lock_guard lock(mutex_);
    delivering_.swap(mail_);
  }
  for (auto& mail : delivering_) {
    if (mail.kind == HttpMail::Kind::kCall) {
      call_ready(mail.ready, true);
    } else {
      const auto& connection = mail.connection;
      connection->deliver(mail);
    }
  }
  delivering_.clear();
}

void HttpLoop::schedule_tick() {
  timer_.expires_after(tick_interval_);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error && stopping_ && connections_.empty()) return;
    tick();
  });
}

void HttpLoop::tick() {
  const auto now = system_clock().now();
  date_ = http_date(system_clock().wall_clock());
  const bool force = stopping_ && now >= stop_deadline_;
  const auto connections = connections_;
  for (const auto& connection : connections) {
    if (force) {
      connection->close();
    } else {
      connection->check_deadline(now);
    }
  }
  if (!stopping_ || !connections_.empty()) schedule_tick();
}

void HttpLoop::answered(int status, Clock::Instant began) {
  if (requests_.empty()) return;
  requests_[static_cast<std::size_t>(std::clamp(status / 100, 2, 5))]->add();
  latency_->record(system_clock().now() - began);
}

}  // namespace thalweg::internal
