#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "http_client.h"

namespace thalweg::flashsale {

/// What to do after one answer of a batch.
enum class Verdict {
  kDone,
  kAgain,   ///< Ask again a little later.
  kGiveUp,  ///< The batch has failed.
};

struct BatchOptions {
  std::string what;                         ///< For progress and errors: "users".
  std::size_t window = 256;                 ///< Requests under way at once.
  std::chrono::milliseconds patience{60'000};
  bool shows_progress = true;               ///< A line on stderr every two seconds.
};

struct BatchResult {
  bool is_complete = false;
  std::size_t done = 0;
  std::size_t repeated = 0;
  std::string error;  ///< Why it is not complete: the last answer that was not accepted.
};

/// Sends the requests 0 .. count-1 with many under way at once and returns when each has been
/// judged done, one was given up, or patience ran out. Runs `io` meanwhile.
BatchResult run_batch(boost::asio::io_context& io, HttpClient& client, std::size_t count,
                      std::function<std::string(std::size_t)> request,
                      std::function<Verdict(std::size_t, const Answer&)> judge,
                      BatchOptions options);

/// Judges an answer to a command that may be repeated: 2xx is done, failures and 5xx come again,
/// everything else is given up.
Verdict expect_success(const Answer& answer);

/// "HTTP 503: body" or the name of the failure, for messages.
std::string describe(const Answer& answer);

}  // namespace thalweg::flashsale
