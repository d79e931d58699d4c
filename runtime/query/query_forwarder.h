#pragma once

#include <chrono>
#include <string>

#include <thalweg/runtime/http_server.h>
#include <thalweg/runtime/peers.h>

namespace thalweg::internal {

/// Asks another process of the application what this one was asked.
class QueryForwarder {
 public:
  /// `token` is that of the application's servers, all alike; empty: they have none.
  QueryForwarder(std::chrono::milliseconds patience, const std::string& token)
      : patience_(patience), peers_(http_peers(token)) {}

  /// Calls `then` from the peers' thread with what `server` (host:port) says to GET `target`, at
  /// most `patience` later; with a 503 when it does not.
  void ask(const std::string& server, std::string target,
           std::move_only_function<void(HttpResponse)> then);
  Peers& peers() { return *peers_; }
  void close() { peers_->close(); }

 private:
  const std::chrono::milliseconds patience_;
  const std::unique_ptr<Peers> peers_;
};

}  // namespace thalweg::internal
