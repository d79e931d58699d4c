#include <map>
#include <mutex>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <thalweg/runtime/web_socket.h>

#include "gateway_events.h"
#include "stomp_frame.h"

namespace thalweg::shop {
namespace {

constexpr const char* kStomp = "v12.stomp";
constexpr std::string_view kStompQueue = "/user/queue/notifications";
constexpr std::size_t kSubscriptionsMax = 100;

std::string plain_message(const InboxItem& item) {
  std::string text;
  JsonWriter json(text);
  json.text("destination", item.destination).number("id", item.number);
  json.raw("body", item.notice.body).end();
  return text;
}

std::string stomp_message(const InboxItem& item, const std::string& subscription,
                          const std::string& destination) {
  return to_text({.command = "MESSAGE",
                  .headers = {{"subscription", subscription},
                              {"message-id", std::to_string(item.number)},
                              {"destination", destination},
                              {"content-type", "application/json"},
                              {"content-length", std::to_string(item.notice.body.size())}},
                  .body = item.notice.body});
}

/// Sends notices as messages. What was kept is sent a page at a time, as the client takes it; news
/// are sent at once, and the socket closes itself when too much of them is unsent.
class SocketSink final : public InboxSink {
 public:
  using Write = std::function<std::string(const InboxItem& item)>;

  SocketSink(std::shared_ptr<WebSocket> socket, Write write)
      : socket_(std::move(socket)), write_(std::move(write)) {}

  void send(const std::vector<InboxItem>& page, bool live, Ready ready) override {
    for (std::size_t i = 0; i + 1 < page.size(); ++i) socket_->send(write_(page[i]));
    const std::string last = write_(page.back());
    if (!live) return socket_->send(last, std::move(ready));
    socket_->send(last);
    ready(!socket_->is_closed());
  }
  void beat(Ready ready) override {
    socket_->ping();
    ready(!socket_->is_closed());
  }
  void finish() override { socket_->close(1001, "the shop is closing"); }

 private:
  std::shared_ptr<WebSocket> socket_;
  Write write_;
};

/// One client's subscriptions. Its messages are JSON texts, or STOMP frames where that is the
/// subprotocol. Used by one thread at a time, one message after the other.
class SocketSession {
 public:
  /// `user` is none for operators who are no customers.
  SocketSession(ContextPtr context, std::optional<std::string> user, bool is_operator)
      : context_(std::move(context)), user_(std::move(user)), is_operator_(is_operator) {}
  ~SocketSession() { end(); }

  void on_text(WebSocket& socket, const std::string& text) {
    if (socket.protocol() == kStomp) {
      on_stomp(socket, text);
    } else {
      on_json(socket, text);
    }
  }
  void end() {
    for (const auto& [name, reader] : readers_) context_->forget(*reader);
    readers_.clear();
    for (const auto& [name, listener] : alerts_) context_->alerts().remove(listener);
    alerts_.clear();
  }

 private:
  // --- {op, destination} ---

  void on_json(WebSocket& socket, const std::string& text) {
    Faults faults;
    std::string op;
    std::string destination;
    std::int64_t after = 0;
    const auto value = parse_json(text);
    if (!value || !value->is_object()) {
      faults.push_back("the message is not a JSON object");
    } else {
      JsonFields fields(value->get_object(), faults);
      op = fields.text("op");
      destination = fields.text("destination", 300);
      after = fields.optional_integer("lastEventId", 0, std::numeric_limits<std::int64_t>::max())
                  .value_or(0);
      if (op != "subscribe" && op != "unsubscribe" && !op.empty()) {
        faults.push_back("op is neither subscribe nor unsubscribe");
      }
    }
    if (!faults.empty()) return json_error(socket, "invalid_request", join(faults));
    if (op == "unsubscribe") return unsubscribe(destination);
    const auto fault =
        subscribe(socket, destination, destination, after, plain_message);
    if (fault) json_error(socket, "refused", *fault);
  }
  static void json_error(WebSocket& socket, std::string_view code, std::string_view detail) {
    std::string text;
    JsonWriter(text).text("error", code).text("detail", detail).end();
    socket.send(text);
  }

  // --- STOMP ---

  void on_stomp(WebSocket& socket, const std::string& text) {
    const auto frame = parse_stomp(text);
    if (!frame) return stomp_error(socket, frame.error());
    if (frame->command.empty()) return;
    if (frame->command == "CONNECT" || frame->command == "STOMP") return connect(socket, *frame);
    if (!connected_) return stomp_error(socket, "CONNECT comes first");
    if (frame->command == "SUBSCRIBE") {
      if (!subscribe_stomp(socket, *frame)) return;
    } else if (frame->command == "UNSUBSCRIBE") {
      unsubscribe(std::string(frame->header("id")));
    } else if (frame->command != "DISCONNECT") {
      return stomp_error(socket, frame->command + " is not understood here");
    }
    if (const auto receipt = frame->header("receipt"); !receipt.empty()) {
      socket.send(to_text(
          {.command = "RECEIPT", .headers = {{"receipt-id", std::string(receipt)}}}));
    }
    if (frame->command == "DISCONNECT") socket.close(1000, {});
  }
  void connect(WebSocket& socket, const StompFrame& frame) {
    if (frame.header("accept-version").find("1.2") == std::string_view::npos) {
      return stomp_error(socket, "the version spoken here is 1.2");
    }
    connected_ = true;
    socket.send(to_text({.command = "CONNECTED",
                         .headers = {{"version", "1.2"}, {"heart-beat", "0,0"}}}));
  }
  bool subscribe_stomp(WebSocket& socket, const StompFrame& frame) {
    const std::string id(frame.header("id"));
    const std::string destination(frame.header("destination"));
    if (id.empty()) {
      stomp_error(socket, "SUBSCRIBE has no id");
      return false;
    }
    const auto fault =
        subscribe(socket, id, destination == kStompQueue ? "/queue/notifications" : destination, 0,
                  [id, destination](const InboxItem& item) {
                    return stomp_message(item, id, destination);
                  });
    if (fault) stomp_error(socket, *fault);
    return !fault;
  }
  static void stomp_error(WebSocket& socket, const std::string& message) {
    socket.send(to_text({.command = "ERROR", .headers = {{"message", message}}}));
    socket.close(1002, "see the ERROR");
  }

  // --- Both ---

  /// What forbids it, if something does.
  std::optional<std::string> subscribe(WebSocket& socket, const std::string& name,
                                       const std::string& destination, std::int64_t after,
                                       SocketSink::Write write) {
    if (readers_.contains(name) || alerts_.contains(name)) {
      return "there is a subscription " + name + " already";
    }
    if (readers_.size() + alerts_.size() >= kSubscriptionsMax) return "too many subscriptions";
    if (destination == kAlertsDestination) return subscribe_to_alerts(socket, name, write);
    if (!user_) return "this belongs to a customer";
    auto wish = wish_of(context_, *user_, destination, after);
    if (!wish) return detail_of(wish.error());
    readers_[name] = context_->listen(
        *std::move(wish),
        std::make_unique<SocketSink>(socket.shared_from_this(), std::move(write)));
    return {};
  }
  std::optional<std::string> subscribe_to_alerts(WebSocket& socket, const std::string& name,
                                                 const SocketSink::Write& write) {
    if (!is_operator_) return "this belongs to operators";
    alerts_[name] = context_->alerts().add(
        [to = socket.shared_from_this(), write](const InboxItem& alert) {
          to->send(write(alert));
          return !to->is_closed();
        });
    return {};
  }
  void unsubscribe(const std::string& name) {
    if (const auto alerts = alerts_.extract(name)) context_->alerts().remove(alerts.mapped());
    const auto found = readers_.find(name);
    if (found == readers_.end()) return;
    context_->forget(*found->second);
    readers_.erase(found);
  }
  static std::string detail_of(const HttpResponse& problem) {
    const auto value = parse_json(problem.body);
    return std::string(value->get_object().at("detail").as_string());
  }

  ContextPtr context_;
  const std::optional<std::string> user_;
  const bool is_operator_;
  bool connected_ = false;
  std::map<std::string, std::shared_ptr<InboxReader>> readers_;  // By destination, or by id.
  std::map<std::string, AlertFeed::Listener> alerts_;            // By the same.
};

void get_socket(const ContextPtr& context, HttpRequest& request, Responder responder) {
  auto user = listener_of(context, request);
  const bool is_operator = context->is_operator(request);
  // Operators need not be customers, but nobody is one whose name cannot be.
  const bool is_refused = !user && (!is_operator || user.error().status == 400);
  if (is_refused) return responder.send(std::move(user.error()));
  const auto session = std::make_shared<SocketSession>(
      context, user ? std::optional(*std::move(user)) : std::nullopt, is_operator);
  WebSocket::Options options{.protocols = {kStomp}};
  const auto in_order = std::make_shared<InOrder>(
      [context](InOrder::Work work) { return context->run(std::move(work)); });
  options.on_text = [session, in_order](WebSocket& socket, std::string text) {
    const bool added =
        in_order->try_add([session, to = socket.shared_from_this(), text = std::move(text)] {
          session->on_text(*to, text);
        });
    if (!added) socket.close(1013, "too many messages wait");
  };
  options.on_end = [session, in_order] { in_order->add([session] { session->end(); }); };
  WebSocket::accept(request, std::move(responder), std::move(options));
}

}  // namespace

void add_socket_routes(const ContextPtr& context) {
  add_route(context, "GET", "/ws?userId", get_socket, "notifications");
}

}  // namespace thalweg::shop
