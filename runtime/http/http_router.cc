#include "http/http_router.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include <thalweg/runtime/nearest_name.h>

namespace thalweg::internal {

namespace {

std::invalid_argument bad(std::string_view pattern, std::string_view what) {
  return std::invalid_argument("route '" + std::string(pattern) + "': " + std::string(what));
}

HttpRouter::Segment parse_segment(std::string_view text, std::string_view pattern) {
  if (text.empty()) throw bad(pattern, "a segment is empty");
  if (text.front() != '{') {
    if (text.find_first_of("{}") != std::string_view::npos) {
      throw bad(pattern, "a parameter must be a whole segment");
    }
    return {std::string(text), false};
  }
  const auto name = text.substr(1, text.size() - 2);
  if (text.back() != '}' || name.empty() || name.find_first_of("{}") != std::string_view::npos) {
    throw bad(pattern, "a parameter is written {name}");
  }
  return {std::string(name), true};
}

std::vector<HttpRouter::Segment> parse_pattern(std::string_view pattern) {
  if (!pattern.starts_with('/')) throw bad(pattern, "it must begin with '/'");
  if (pattern == "/") return {HttpRouter::Segment{}};
  std::vector<HttpRouter::Segment> segments;
  std::set<std::string> names;
  for (std::size_t begin = 1; begin <= pattern.size();) {
    const auto end = std::min(pattern.find('/', begin), pattern.size());
    segments.push_back(parse_segment(pattern.substr(begin, end - begin), pattern));
    const auto& last = segments.back();
    if (last.parameter && !names.insert(last.text).second) {
      throw bad(pattern, "two parameters have the same name");
    }
    begin = end + 1;
  }
  return segments;
}

// What stands behind the question mark of a pattern; absent: any.
std::optional<std::vector<std::string>> parse_parameters(std::string_view pattern) {
  const auto mark = pattern.find('?');
  if (mark == std::string_view::npos) return std::vector<std::string>();
  auto rest = pattern.substr(mark);
  if (rest == "?*") return std::nullopt;
  std::vector<std::string> names;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const auto name = rest.substr(0, rest.find('&'));
    rest.remove_prefix(name.size());
    if (name.empty() || name.find_first_of("?=*{}/") != std::string_view::npos) {
      throw bad(pattern, "query parameters are written ?name&name, or ?* for any");
    }
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      throw bad(pattern, "two query parameters have the same name");
    }
    names.emplace_back(name);
  }
  return names;
}

std::string hint_for(std::string_view parameter, const std::vector<std::string>& known) {
  if (known.empty()) return "it takes none";
  const auto like = nearest(parameter, known);
  if (!like.empty()) return "did you mean '" + like + "'?";
  std::string all;
  for (const auto& name : known) all += (all.empty() ? "it knows " : ", ") + name;
  return all;
}

// Negative: `a` is to be tried before `b`; zero: they fit the same paths.
int compare(const std::vector<HttpRouter::Segment>& a, const std::vector<HttpRouter::Segment>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].parameter != b[i].parameter) return a[i].parameter ? 1 : -1;
    if (!a[i].parameter && a[i].text != b[i].text) return a[i].text < b[i].text ? -1 : 1;
  }
  return 0;
}

}  // namespace

void HttpRouter::add(std::string_view method, std::string_view pattern, HttpServer::Handler handler,
                     HttpRouteOptions options) {
  const auto path = pattern.substr(0, pattern.find('?'));
  Route route{std::string(method),       std::string(path),  parse_pattern(path),
              parse_parameters(pattern), std::move(handler), options};
  if (!route.handler) throw bad(pattern, "it has no handler");
  const auto size = route.segments.size();
  if (routes_.size() <= size) routes_.resize(size + 1);
  auto& bucket = routes_[size];
  for (const auto& other : bucket) {
    if (other.method == method && compare(other.segments, route.segments) == 0) {
      throw bad(pattern, "there is already a route for " + other.method + " " + other.pattern);
    }
  }
  const auto place = std::upper_bound(
      bucket.begin(), bucket.end(), route,
      [](const Route& a, const Route& b) { return compare(a.segments, b.segments) < 0; });
  bucket.insert(place, std::move(route));
}

void HttpRouter::check(std::string_view method, std::string_view pattern, HttpServer::Check check) {
  for (auto& bucket : routes_) {
    for (auto& route : bucket) {
      if (route.method != method || route.pattern != pattern) continue;
      route.handler = [check = std::move(check), handler = std::move(route.handler)](
                          HttpRequest& request, Responder responder) {
        if (auto instead = check(request)) return responder.send(*std::move(instead));
        handler(request, std::move(responder));
      };
      return;
    }
  }
  throw bad(pattern, "there is no such route for " + std::string(method));
}

bool HttpRouter::fits(const Route& route, const HttpRequest& request,
                      const std::vector<HttpRequestAccess::Slice>& segments) {
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto text = HttpRequestAccess::view(request, segments[i]);
    if (route.segments[i].parameter ? text.empty() : text != route.segments[i].text) return false;
  }
  return true;
}

const HttpRouter::Route* HttpRouter::find(
    HttpRequest& request, const std::vector<HttpRequestAccess::Slice>& segments) const {
  if (segments.size() >= routes_.size()) return nullptr;
  const auto method = request.method() == "HEAD" ? std::string_view("GET") : request.method();
  for (const auto& route : routes_[segments.size()]) {
    if (route.method != method || !fits(route, request, segments)) continue;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      if (!route.segments[i].parameter) continue;
      HttpRequestAccess::add_param(request, route.segments[i].text, segments[i]);
    }
    HttpRequestAccess::set_known(request, route.parameters ? &*route.parameters : nullptr);
    return &route;
  }
  return nullptr;
}

std::optional<HttpResponse> HttpRouter::parameter_fault(const Route& route,
                                                        const HttpRequest& request) {
  const auto name = HttpRequestAccess::unknown_parameter(request);
  if (!name) return std::nullopt;
  return problem(
      400, "unknown_parameter",
      route.method + " " + route.pattern + " knows no query parameter '" + std::string(*name) + "'",
      hint_for(*name, *route.parameters));
}

std::string HttpRouter::allowed(const HttpRequest& request,
                                const std::vector<HttpRequestAccess::Slice>& segments) const {
  if (segments.size() >= routes_.size()) return {};
  std::set<std::string> methods;
  for (const auto& route : routes_[segments.size()]) {
    if (!fits(route, request, segments)) continue;
    methods.insert(route.method);
    if (route.method == "GET") methods.insert("HEAD");
  }
  if (methods.empty()) return {};
  methods.insert("OPTIONS");
  std::string list;
  for (const auto& method : methods) {
    if (!list.empty()) list += ", ";
    list += method;
  }
  return list;
}

}  // namespace thalweg::internal
