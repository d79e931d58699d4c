#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/runtime/http_server.h>

namespace thalweg {

/// A WebSocket (RFC 6455) on a connection of an HttpServer: text messages both ways.
///
///     server.route("GET", "/ws", [](HttpRequest& request, Responder responder) {
///       WebSocket::Options options;
///       options.on_text = [](WebSocket& socket, std::string text) { socket.send(text); };
///       WebSocket::accept(request, std::move(responder), std::move(options));
///     });
///
/// Pings are answered, fragments put together, faults of the client end the connection with the
/// code that RFC 6455 names. Nobody waits for a client that does not read: what it has not taken is
/// counted, and beyond a limit it is closed with 1013.
class WebSocket : public std::enable_shared_from_this<WebSocket> {
 public:
  struct Options {
    /// Subprotocols that are understood; the first of them that the client offers is chosen.
    std::vector<std::string> protocols = {};
    std::size_t message_bytes = 64u << 10;  ///< Of one message of the client; beyond: 1009.
    std::size_t unsent_bytes = 1u << 20;    ///< Written, but not taken by the client; beyond: 1013.
    /// Called from the server's threads, one message at a time. May send and close.
    std::function<void(WebSocket& socket, std::string text)> on_text = {};
    /// Called once, when nothing more will come. The functions are dropped afterwards.
    std::function<void()> on_end = {};
  };

  /// Answers the request with 101, or says with a 4xx why it is none for a WebSocket: then null.
  /// The socket lives as long as its connection, and as whoever keeps it.
  static std::shared_ptr<WebSocket> accept(const HttpRequest& request, Responder responder,
                                           Options options);

  /// The subprotocol that was chosen; empty: none.
  const std::string& protocol() const { return protocol_; }
  /// Sends a message. From any thread; never waits. `taken` is called with true when the client has
  /// taken it, with false when it never will; from a server's thread, or within this call.
  void send(std::string_view text, ResponseStream::Ready taken = {});
  void ping();
  /// Whether nothing more is sent: either side has ended it.
  bool is_closed();
  /// Says goodbye and ends the connection when the client has taken everything so far, or took too
  /// long.
  void close(std::uint16_t code, std::string_view reason);

 private:
  WebSocket(Options options, std::string protocol);
  void on_bytes(std::string_view bytes);
  bool take_frame();
  void take_payload(std::uint8_t first, std::string payload);
  void fail(std::uint16_t code, std::string_view reason) { close(code, reason); }
  void end();
  /// Under the mutex. False: the frame is not sent, and `taken` not called.
  bool write_frame(std::uint8_t opcode, std::string_view payload,
                   ResponseStream::Ready&& taken = {});
  void write_close(std::uint16_t code, std::string_view reason);

  Options options_;
  const std::string protocol_;

  // Of the server's thread alone.
  std::string input_;
  std::string message_;
  bool in_message_ = false;
  bool deaf_ = false;  ///< The client said goodbye, or made a fault.

  std::mutex mutex_;  // Guards the rest.
  ResponseStream stream_;
  std::size_t unsent_ = 0;
  bool closed_ = false;
};

}  // namespace thalweg
