#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "certificates.h"

namespace thalweg::shop {

/// An HTTPS server on loopback that answers every request with 200 and `{}`, and counts. Has a
/// thread of its own.
class TlsServer {
 public:
  enum class Manner {
    kAnswers,
    kSilent,       ///< Takes connections, and says nothing.
    kClosesAfter,  ///< Closes each connection behind its first answer, without telling so.
  };
  explicit TlsServer(const Certificate& certificate, Manner manner = Manner::kAnswers);
  ~TlsServer();

  std::uint16_t port() const;
  /// Connections that were taken, those on which TLS was agreed on, and requests that came.
  int connections() const;
  int handshakes() const;
  int requests() const;
  /// The name that the last client asked for (SNI); empty: none.
  std::string asked_for() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace thalweg::shop
