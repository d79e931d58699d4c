#pragma once

#include <string>
#include <string_view>

#include <thalweg/runtime/http_server.h>

namespace thalweg::internal {

/// The phrase of a status: `Not Found`.
std::string_view reason_phrase(int status);

/// What the head of an answer says beyond the response itself.
struct HttpHeadOptions {
  std::string_view date;
  bool keep_alive = true;
  bool http11 = true;
  bool chunked = false;
};

/// Appends status line and headers, with the empty line.
void write_head(const HttpResponse& response, const HttpHeadOptions& options, std::string& out);

/// Whether an answer of that status has a body at all.
inline bool has_body(int status) { return status != 204 && status != 304; }

}  // namespace thalweg::internal
