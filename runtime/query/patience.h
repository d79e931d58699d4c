#pragma once

#include <chrono>
#include <functional>
#include <utility>

#include "query/query_context.h"

namespace thalweg::internal {

/// How long, and how, a request waits for a task that moves: only where there are other processes
/// that it may go to.
class Patience {
 public:
  Patience(QueryContext& context, const QuerySource& source)
      : context_(context), until_(context.clock().now()) {
    if (!source.host().empty()) until_ += context.options().at_least_time;
  }
  bool is_over() const { return context_.clock().now() >= until_; }
  /// Calls `look` a little later, from a thread of the server.
  void later(std::move_only_function<void()> look) const {
    context_.forwarder().peers().after(
        kLookAgain, [&server = context_.server(), look = std::move(look)]() mutable {
          server.post(std::move(look));
        });
  }

 private:
  static constexpr std::chrono::milliseconds kLookAgain{50};

  QueryContext& context_;
  Clock::Instant until_;
};

}  // namespace thalweg::internal
