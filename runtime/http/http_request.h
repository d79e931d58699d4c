#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/runtime/http_server.h>

namespace thalweg::internal {

/// How the server fills a request. All slices are offsets into the request's own text, so that it
/// may grow and move.
struct HttpRequestAccess {
  using Slice = HttpRequest::Slice;

  /// Empties the request and keeps its memory.
  static void reset(HttpRequest& request, std::string_view peer);
  static void set_method(HttpRequest& request, std::string_view method);
  static void set_target(HttpRequest& request, std::string_view target);
  static void add_header(HttpRequest& request, std::string_view name, std::string_view value);
  static void add_param(HttpRequest& request, std::string_view name, Slice value);
  static std::string_view view(const HttpRequest& request, Slice slice) {
    return request.text(slice);
  }
  static std::string& body(HttpRequest& request) { return request.body_; }
  /// The query parameters that the route knows; null: any. They outlive the request.
  static void set_known(HttpRequest& request, const std::vector<std::string>* parameters) {
    request.known_ = parameters;
  }
  /// The first query parameter that the route does not know, if there is one.
  static std::optional<std::string_view> unknown_parameter(const HttpRequest& request);

  /// Takes the target apart: path(), query() and the decoded `segments` of the path. Returns what
  /// is wrong with it, or null.
  static const char* parse_target(HttpRequest& request, std::vector<Slice>& segments);

 private:
  static Slice append(HttpRequest& request, std::string_view text);
  static const char* append_decoded(HttpRequest& request, Slice encoded, bool form, Slice& decoded);
  static const char* parse_path(HttpRequest& request, Slice path, std::vector<Slice>& segments);
  static const char* parse_query(HttpRequest& request, Slice query);
};

/// Whether two header names are the same.
bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace thalweg::internal
