#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <string>
#include <thread>

namespace thalweg::testing {

/// The network between a broker and its clients: what they send passes here, or does not.
class NetworkProxy {
 public:
  enum class State : std::uint8_t {
    kOpen,
    /// Nothing passes, in either direction, and what was sent comes late: when it is open again.
    kHeld,
    /// Requests arrive, answers do not, until it is open again.
    kDeaf,
    /// Connections are broken, and new ones break at once.
    kCut,
  };

  /// Passes on to `to` on loopback, which need not be there yet.
  explicit NetworkProxy(std::uint16_t to);
  ~NetworkProxy();
  NetworkProxy(const NetworkProxy&) = delete;
  NetworkProxy& operator=(const NetworkProxy&) = delete;

  std::uint16_t port() const { return port_; }
  void set(State state) { state_ = state; }

 private:
  /// One direction of a connection.
  struct Pipe {
    int from = -1;
    int to = -1;
    bool is_answer = false;
    std::string waiting = {};  ///< Read and not written yet.
  };
  struct Connection {
    int client = -1;
    int broker = -1;
    Pipe request, answer;
  };

  void run();
  void accept_one();
  bool passes(const Pipe& pipe, State state) const;
  /// False when the connection has ended.
  bool move(Pipe& pipe);
  void close(Connection& connection);

  const std::uint16_t to_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<State> state_ = State::kOpen;
  std::atomic<bool> stopping_ = false;
  std::list<Connection> connections_;
  std::thread thread_;
};

}  // namespace thalweg::testing
