#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <thalweg/runtime/http_server.h>

namespace thalweg {

/// How the processes of an application ask each other: GET over HTTP, from a thread of its own,
/// many at once, over connections that are kept. Thread-safe.
class Peers {
 public:
  /// Called once from the peers' thread, which it must not hold up: the answer, or nothing when
  /// there was no whole one in time.
  using Answer = std::move_only_function<void(std::optional<HttpResponse>)>;

  virtual ~Peers() = default;  ///< As close().
  /// Asks `server` (host:port, its `application.server`) for `target`, a path with its query.
  virtual void ask(const std::string& server, std::string target,
                   std::chrono::milliseconds patience, Answer answer) = 0;
  /// Runs `work` in the peers' thread, about `pause` from now.
  virtual void after(std::chrono::milliseconds pause, std::move_only_function<void()> work) = 0;
  /// Breaks off what is under way, whose answers are nothing, and asks no more.
  virtual void close() = 0;
};

/// Asks with `token` as bearer token, unless it is empty: that of the servers it will ask.
std::unique_ptr<Peers> http_peers(const std::string& token = {});

/// A request with this header was passed on already: who gets it answers, or says that it cannot.
/// So two that each take the other for the owner do not ask in turns. A name of our own: proxies in
/// front of a process add X-Forwarded-... to requests that nobody has passed on.
inline constexpr const char* kForwardedHeader = "X-Thalweg-Forwarded";
/// Which process has answered.
inline constexpr const char* kServedByHeader = "X-Served-By";

}  // namespace thalweg
