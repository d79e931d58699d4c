#include "gateway_events.h"

#include <algorithm>
#include <charconv>
#include <mutex>

namespace thalweg::shop {
namespace {

constexpr std::string_view kQueue = "/queue/notifications";
constexpr std::string_view kOrderTopic = "/topic/order/";

/// On one line: what comes in several would end the event. In JSON they stand between members only.
void append_line(std::string_view json, std::string& out) {
  const auto begin = static_cast<std::ptrdiff_t>(out.size());
  out += json;
  std::replace_if(
      out.begin() + begin, out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

/// Server-sent events. The next page follows when the client has taken the one before, so a slow
/// one just lags behind; one that takes nothing for the server's `write_time` is let go, and begins
/// again where it stopped.
class EventStream final : public InboxSink {
 public:
  explicit EventStream(ResponseStream stream) : stream_(std::move(stream)) {}

  void send(const std::vector<InboxItem>& page, bool, Ready ready) override {
    std::string text;
    for (const auto& item : page) {
      text += "id: ";
      JsonWriter::append_number(item.number, text);
      text += "\ndata: ";
      JsonWriter json(text);
      json.text("destination", item.destination).number("id", item.number);
      json.value("body", [&](std::string& out) { append_line(item.notice.body, out); }).end();
      text += "\n\n";
    }
    write(std::move(text), std::move(ready));
  }
  void beat(Ready ready) override { write(":\n\n", std::move(ready)); }
  void finish() override {
    const std::lock_guard lock(mutex_);
    stream_.finish();
  }

 private:
  void write(std::string text, Ready ready) {
    const std::lock_guard lock(mutex_);
    stream_.write(std::move(text), std::move(ready));
  }

  std::mutex mutex_;
  ResponseStream stream_;
};

/// Where the client stopped: at the beginning of what is kept when it says nothing, as browsers do
/// with an empty header. Nothing for what is no number.
std::optional<std::int64_t> last_seen(const HttpRequest& request) {
  std::string_view text = request.header("Last-Event-ID").value_or("");
  if (text.empty()) text = request.query("lastEventId").value_or("");
  if (text.empty()) return 0;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return {};
  return number;
}

void get_events(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const auto user = listener_of(context, request);
  if (!user) return responder.send(user.error());
  const auto after = last_seen(request);
  if (!after) return responder.send(bad_request({"Last-Event-ID is no number"}));
  auto wish = wish_of(context, *user, request.query("destination").value_or(kQueue), *after);
  if (!wish) return responder.send(std::move(wish.error()));
  HttpResponse head{.content_type = "text/event-stream", .body = "retry: 1000\n\n"};
  head.headers.emplace_back("Cache-Control", "no-store");
  context->listen(*std::move(wish),
                  std::make_unique<EventStream>(responder.stream(std::move(head))));
}

}  // namespace

std::expected<std::string, HttpResponse> listener_of(const ContextPtr& context,
                                                     const HttpRequest& request) {
  auto caller = context->caller(request);
  if (caller && caller->empty() && context->is_development()) {
    const auto user = request.query("userId").value_or("");
    if (!is_id(user)) return std::unexpected(bad_request({"userId " + id_fault()}));
    return std::string(user);
  }
  return caller;
}

std::expected<InboxReader::Wish, HttpResponse> wish_of(const ContextPtr& context,
                                                       const std::string& user,
                                                       std::string_view destination,
                                                       std::int64_t after) {
  InboxReader::Wish wish{.user_id = user, .order_id = {}, .after = after};
  if (destination.starts_with(kOrderTopic)) {
    wish.order_id = destination.substr(kOrderTopic.size());
    // In this order, as the one that is on its way may arrive in between.
    auto owner = context->orders_on_the_way().user_of(wish.order_id);
    const auto order = context->find<Order>(stores::kOrders, wish.order_id);
    if (!order) return std::unexpected(unavailable(order.error()));
    if (order->row) owner = order->row->user_id;
    if (!owner) return std::unexpected(not_found("order", wish.order_id));
    if (!user.empty() && user != *owner) {
      return std::unexpected(problem(403, "forbidden", "this belongs to another user"));
    }
    wish.user_id = *std::move(owner);
  } else if (destination != kQueue) {
    return std::unexpected(bad_request(
        {"destination is neither /queue/notifications nor /topic/order/{orderId}"}));
  }
  if (wish.user_id.empty()) {
    return std::unexpected(bad_request({"who listens is missing: X-User, or userId"}));
  }
  return wish;
}

void add_event_routes(const ContextPtr& context) {
  add_route(context, "GET", "/events?destination&lastEventId&userId", get_events, "notifications");
}

}  // namespace thalweg::shop
