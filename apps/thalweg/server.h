#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/fwd.hpp>

#include "outside_client.h"

namespace thalweg::cli {

/// The path and query of a request, put together with all that needs it escaped.
class Target {
 public:
  /// `segments` follow each other with a slash between.
  explicit Target(std::initializer_list<std::string_view> segments);
  /// Adds `name=value`.
  Target& with(std::string_view name, std::string_view value);
  /// The same unless the value is empty.
  Target& with_any(std::string_view name, std::string_view value);
  /// The same of a value that is escaped already.
  Target& with_escaped(std::string_view name, std::string_view value);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  char before_ = '?';
};

/// An application that answers over HTTP. Every call waits for the answer; one that is no success
/// throws CommandError with the application's own words and hint.
class Server {
 public:
  /// Throws CommandError for an address that is none. `token` may be empty.
  Server(const std::string& url, std::string token);
  ~Server();

  const std::string& url() const { return url_; }

  OutsideReply get(const Target& target);
  /// The same as JSON.
  boost::json::value get_json(const Target& target);
  OutsideReply post(const Target& target, std::string body, std::string content_type,
                    std::string idempotency_key = {});
  /// For questions to which 404 is an answer: absent then, if its code is `code`.
  std::optional<OutsideReply> find(const Target& target, std::string_view code);

 private:
  /// The reply of whatever status.
  OutsideReply exchange(OutsideRequest request, const Target& target);

  std::string url_;
  std::string token_;
  OutsideUrl base_;
  OutsideClient client_{1};
};

}  // namespace thalweg::cli
