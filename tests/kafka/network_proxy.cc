#include "kafka/network_proxy.h"

#include <arpa/inet.h>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace thalweg::testing {

namespace {

constexpr int kGlanceMs = 5;
constexpr std::size_t kPiece = 64 * 1024;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void do_not_block(int socket) { ::fcntl(socket, F_SETFL, O_NONBLOCK); }

}  // namespace

NetworkProxy::NetworkProxy(std::uint16_t to)
    : to_(to), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 128) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no port for a proxy");
  }
  port_ = ntohs(address.sin_port);
  do_not_block(listener_);
  thread_ = std::thread([this] { run(); });
}

NetworkProxy::~NetworkProxy() {
  stopping_ = true;
  thread_.join();
  for (auto& connection : connections_) close(connection);
  ::close(listener_);
}

void NetworkProxy::accept_one() {
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int broker = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(to_);
  // On loopback that is done, or refused, at once.
  if (state_ == State::kCut ||
      ::connect(broker, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(client);
    ::close(broker);
    return;
  }
  do_not_block(client);
  do_not_block(broker);
  connections_.push_back({client, broker, {client, broker, false, {}}, {broker, client, true, {}}});
}

void NetworkProxy::close(Connection& connection) {
  ::close(connection.client);
  ::close(connection.broker);
}

bool NetworkProxy::passes(const Pipe& pipe, State state) const {
  return state == State::kOpen || (state == State::kDeaf && !pipe.is_answer);
}

bool NetworkProxy::move(Pipe& pipe) {
  char piece[kPiece];
  while (pipe.waiting.size() < kPiece) {
    const ssize_t read = ::read(pipe.from, piece, sizeof piece);
    if (read == 0 || (read < 0 && errno != EAGAIN)) return false;
    if (read < 0) break;
    pipe.waiting.append(piece, static_cast<std::size_t>(read));
  }
  while (!pipe.waiting.empty()) {
    const ssize_t sent = ::send(pipe.to, pipe.waiting.data(), pipe.waiting.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    pipe.waiting.erase(0, static_cast<std::size_t>(sent));
  }
  return true;
}

void NetworkProxy::run() {
  std::vector<pollfd> watched;
  while (!stopping_) {
    const State state = state_;
    watched = {{listener_, POLLIN, 0}};
    for (const Connection& connection : connections_) {
      for (const Pipe* pipe : {&connection.request, &connection.answer}) {
        if (!passes(*pipe, state)) continue;
        watched.push_back({pipe->from, POLLIN, 0});
        if (!pipe->waiting.empty()) watched.push_back({pipe->to, POLLOUT, 0});
      }
    }
    ::poll(watched.data(), watched.size(), kGlanceMs);
    accept_one();
    std::erase_if(connections_, [&](Connection& connection) {
      bool alive = state != State::kCut;
      for (Pipe* pipe : {&connection.request, &connection.answer}) {
        if (alive && passes(*pipe, state)) alive = move(*pipe);
      }
      if (!alive) close(connection);
      return !alive;
    });
  }
}

}  // namespace thalweg::testing
