#include "http/http_request.h"

#include <algorithm>
#include <stdexcept>

#include <thalweg/runtime/json_text.h>

namespace thalweg {

std::string_view HttpRequest::param(std::string_view name) const {
  for (const auto& param : params_) {
    if (text(param.name) == name) return text(param.value);
  }
  return {};
}

bool HttpRequest::may_have(std::string_view parameter) const {
  return !known_ || parameter == "access_token" ||
         std::find(known_->begin(), known_->end(), parameter) != known_->end();
}

std::optional<std::string_view> HttpRequest::query(std::string_view name) const {
  if (!may_have(name)) {
    throw std::logic_error("the route does not say that it knows the query parameter '" +
                           std::string(name) + "'");
  }
  for (const auto& parameter : query_) {
    if (text(parameter.name) == name) return text(parameter.value);
  }
  return std::nullopt;
}

std::optional<std::string_view> HttpRequest::header(std::string_view name) const {
  for (const auto& header : headers_) {
    if (internal::equal_ignoring_case(text(header.name), name)) return text(header.value);
  }
  return std::nullopt;
}

std::string_view HttpRequest::bearer_token() const {
  constexpr std::string_view kScheme = "Bearer ";
  const auto given = header("Authorization").value_or("");
  if (internal::equal_ignoring_case(given.substr(0, kScheme.size()), kScheme)) {
    const auto begin = given.find_first_not_of(' ', kScheme.size());
    return begin == std::string_view::npos ? std::string_view() : given.substr(begin);
  }
  const bool is_read = method() == "GET" || method() == "HEAD";
  return is_read ? query("access_token").value_or("") : std::string_view();
}

namespace internal {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

void HttpRequestAccess::reset(HttpRequest& request, std::string_view peer) {
  request.text_.clear();
  request.body_.clear();
  request.headers_.clear();
  request.query_.clear();
  request.params_.clear();
  request.known_ = nullptr;
  request.method_ = request.path_ = {};
  request.peer_ = append(request, peer);
}

void HttpRequestAccess::set_method(HttpRequest& request, std::string_view method) {
  request.method_ = append(request, method);
}

void HttpRequestAccess::set_target(HttpRequest& request, std::string_view target) {
  request.path_ = append(request, target);
}

void HttpRequestAccess::add_header(HttpRequest& request, std::string_view name,
                                   std::string_view value) {
  const auto name_slice = append(request, name);
  request.headers_.push_back({name_slice, append(request, value)});
}

void HttpRequestAccess::add_param(HttpRequest& request, std::string_view name, Slice value) {
  request.params_.push_back({append(request, name), value});
}

std::optional<std::string_view> HttpRequestAccess::unknown_parameter(const HttpRequest& request) {
  for (const auto& parameter : request.query_) {
    const auto name = request.text(parameter.name);
    if (!request.may_have(name)) return name;
  }
  return std::nullopt;
}

HttpRequest::Slice HttpRequestAccess::append(HttpRequest& request, std::string_view text) {
  const Slice slice{static_cast<std::uint32_t>(request.text_.size()),
                    static_cast<std::uint32_t>(text.size())};
  request.text_.append(text);
  return slice;
}

// `form`: a plus sign is a space, as browsers write queries.
const char* HttpRequestAccess::append_decoded(HttpRequest& request, Slice encoded, bool form,
                                              Slice& decoded) {
  auto& text = request.text_;
  decoded.begin = static_cast<std::uint32_t>(text.size());
  const std::size_t end = encoded.begin + encoded.size;
  for (std::size_t i = encoded.begin; i < end; ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < end ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < end ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return "a '%' in the target is not followed by two hexadecimal digits";
      c = static_cast<char>(high * 16 + low);
      i += 2;
      if (c == '\0') return "the target contains a NUL character";
    } else if (form && c == '+') {
      c = ' ';
    }
    text.push_back(c);
  }
  decoded.size = static_cast<std::uint32_t>(text.size()) - decoded.begin;
  return is_utf8(request.text(decoded)) ? nullptr : "the target is not valid UTF-8 once decoded";
}

const char* HttpRequestAccess::parse_path(HttpRequest& request, Slice path,
                                          std::vector<Slice>& segments) {
  const std::uint32_t end = path.begin + path.size;
  for (std::uint32_t begin = path.begin + 1; begin <= end;) {
    const auto slash = request.text_.find('/', begin);
    const auto stop = slash < end ? static_cast<std::uint32_t>(slash) : end;
    Slice segment;
    if (const char* fault = append_decoded(request, {begin, stop - begin}, false, segment)) {
      return fault;
    }
    const auto text = request.text(segment);
    if (text == "." || text == "..") return "the path contains '.' or '..' as a segment";
    segments.push_back(segment);
    begin = stop + 1;
  }
  return nullptr;
}

const char* HttpRequestAccess::parse_query(HttpRequest& request, Slice query) {
  const std::uint32_t end = query.begin + query.size;
  for (std::uint32_t begin = query.begin; begin < end;) {
    const auto ampersand = request.text_.find('&', begin);
    const auto stop = ampersand < end ? static_cast<std::uint32_t>(ampersand) : end;
    const auto equals = request.text_.find('=', begin);
    const auto name_end = equals < stop ? static_cast<std::uint32_t>(equals) : stop;
    const auto value_begin = std::min(name_end + 1, stop);
    HttpRequest::Pair pair;
    if (const char* fault = append_decoded(request, {begin, name_end - begin}, true, pair.name)) {
      return fault;
    }
    if (const char* fault =
            append_decoded(request, {value_begin, stop - value_begin}, true, pair.value)) {
      return fault;
    }
    if (stop > begin) request.query_.push_back(pair);
    begin = stop + 1;
  }
  return nullptr;
}

const char* HttpRequestAccess::parse_target(HttpRequest& request, std::vector<Slice>& segments) {
  segments.clear();
  Slice target = request.path_;
  auto text = request.text(target);
  if (text.starts_with("http://") || text.starts_with("https://")) {  // As sent to a proxy.
    const auto slash = text.find('/', text.find("//") + 2);
    if (slash == std::string_view::npos) return "the target has no path";
    target.begin += static_cast<std::uint32_t>(slash);
    target.size -= static_cast<std::uint32_t>(slash);
    text.remove_prefix(slash);
  }
  if (!text.starts_with('/')) return "the target does not begin with '/'";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f || c == '#') {
      return "the target contains a character that must be percent-encoded";
    }
  }
  const auto mark = static_cast<std::uint32_t>(std::min(text.find('?'), text.size()));
  const Slice path{target.begin, mark};
  const auto query_begin = std::min(mark + 1, target.size);
  const Slice query{target.begin + query_begin, target.size - query_begin};
  request.path_ = path;
  request.text_.reserve(request.text_.size() + target.size);
  if (const char* fault = parse_path(request, path, segments)) return fault;
  return parse_query(request, query);
}

}  // namespace internal

}  // namespace thalweg
