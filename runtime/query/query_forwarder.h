#pragma once

#include <chrono>
#include <string>

#include <thalweg/runtime/http_server.h>

#include "query/blocking_worker.h"

namespace thalweg::internal {

/// Asks another process of the application what this one was asked, and passes its answer on.
class QueryForwarder {
 public:
  /// A request that has this header was forwarded already: who gets it answers, or says that it
  /// cannot. So two that each take the other for the owner do not ask in turns.
  static constexpr const char* kForwarded = "X-Forwarded-Host";
  /// Who has answered.
  static constexpr const char* kServedBy = "X-Served-By";

  explicit QueryForwarder(std::chrono::milliseconds patience) : patience_(patience) {}
  ~QueryForwarder() { close(); }

  /// Answers with what `server` (host:port) says to GET `target`, at most `patience` later; 503
  /// when it does not.
  void forward(const std::string& server, std::string target, Responder responder);
  void close() { asker_.close(); }

 private:
  const std::chrono::milliseconds patience_;
  BlockingWorker asker_;
};

/// Text as a part of a path or of a query.
std::string percent_encoded(std::string_view text);

}  // namespace thalweg::internal
