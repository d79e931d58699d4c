#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <boost/json/object.hpp>

namespace thalweg::end_to_end {

/// A customer who listens over a WebSocket, with a client of another make than the server.
class WebSocketClient {
 public:
  /// `receive_bytes`: how much the machine takes for a client that does not read; 0: as it likes.
  WebSocketClient(std::uint16_t port, const std::string& user, const std::string& protocol = {},
                  int receive_bytes = 0);
  ~WebSocketClient();

  void send(const std::string& text);
  /// The next message; `closed CODE` when the server has closed instead, else what is wrong.
  std::string read();
  boost::json::object read_json();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A STOMP frame, which ends with a zero byte.
inline std::string stomp(const std::string& text) { return text + std::string(1, '\0'); }

}  // namespace thalweg::end_to_end
