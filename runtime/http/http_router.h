#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/http_request.h"

namespace thalweg::internal {

/// Finds the handler of a method and path. Immutable once the server runs.
class HttpRouter {
 public:
  struct Segment {
    std::string text;  ///< The literal, or the parameter's name.
    bool parameter = false;
  };
  struct Route {
    std::string method;
    std::string pattern;  ///< Of the path.
    std::vector<Segment> segments;
    std::optional<std::vector<std::string>> parameters;  ///< Of the query; absent: any.
    HttpServer::Handler handler;
    HttpRouteOptions options;
  };

  /// Throws std::invalid_argument.
  void add(std::string_view method, std::string_view pattern, HttpServer::Handler handler,
           HttpRouteOptions options);
  /// As HttpServer::check().
  void check(std::string_view method, std::string_view pattern, HttpServer::Check check);
  /// The route of the request's method (HEAD: GET's), or null. Sets the request's parameters, and
  /// which it may have.
  const Route* find(HttpRequest& request,
                    const std::vector<HttpRequestAccess::Slice>& segments) const;
  /// The answer to a request with a query parameter that its route does not know.
  static std::optional<HttpResponse> parameter_fault(const Route& route,
                                                     const HttpRequest& request);
  /// The methods that the path has, for `Allow`; empty when no route fits it.
  std::string allowed(const HttpRequest& request,
                      const std::vector<HttpRequestAccess::Slice>& segments) const;

 private:
  static bool fits(const Route& route, const HttpRequest& request,
                   const std::vector<HttpRequestAccess::Slice>& segments);

  /// By number of segments; literal segments before parameters.
  std::vector<std::vector<Route>> routes_;
};

}  // namespace thalweg::internal
