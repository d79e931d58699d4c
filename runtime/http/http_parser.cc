#include "http/http_parser.h"

#include <algorithm>

namespace thalweg::internal {

namespace {

std::string_view std_view(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

HttpParser::HttpParser(HttpRequest& request, const HttpServerLimits& limits)
    : request_(request), limits_(limits) {
  header_limit(static_cast<std::uint32_t>(limits.header_bytes));
  body_limit(limits.body_bytes);
}

void HttpParser::refuse(int status, const char* detail, beast::error_code& error) {
  status_ = status;
  detail_ = detail;
  error = beast::http::error::bad_value;
}

void HttpParser::on_request_impl(beast::http::verb, string_view method_text, string_view target,
                                 int version, beast::error_code& error) {
  header_bytes_ += method_text.size() + target.size() + 12;
  version_ = version;
  if (target.size() > limits_.uri_bytes) {
    return refuse(414, "the request target is longer than this server takes", error);
  }
  HttpRequestAccess::set_method(request_, std_view(method_text));
  HttpRequestAccess::set_target(request_, std_view(target));
}

void HttpParser::on_field_impl(beast::http::field field, string_view name, string_view value,
                               beast::error_code& error) {
  header_bytes_ += name.size() + value.size() + 4;
  if (++fields_ > limits_.header_fields) {
    return refuse(431, "there are more header fields than this server takes", error);
  }
  if (header_bytes_ > limits_.header_bytes) {
    return refuse(431, "the header is larger than this server takes", error);
  }
  if (in_trailer_) return;
  switch (field) {
    case beast::http::field::host:
      ++hosts_;
      break;
    case beast::http::field::transfer_encoding:
      if (version_ < 11) {
        return refuse(400, "Transfer-Encoding is not part of HTTP/1.0", error);
      }
      if (!equal_ignoring_case(std_view(value), "chunked")) {
        return refuse(501, "the only Transfer-Encoding understood is chunked", error);
      }
      break;
    case beast::http::field::expect:
      (equal_ignoring_case(std_view(value), "100-continue") ? expects_continue_
                                                            : expectation_unknown_) = true;
      break;
    case beast::http::field::content_encoding:
      encoded_ |= !value.empty() && !equal_ignoring_case(std_view(value), "identity");
      break;
    default:
      break;
  }
  HttpRequestAccess::add_header(request_, std_view(name), std_view(value));
}

void HttpParser::on_header_impl(beast::error_code& error) {
  if (hosts_ > 1 || (hosts_ == 0 && version_ == 11)) {
    return refuse(400, "the request needs exactly one Host header", error);
  }
  // Before the body is sent, if the client waits for that.
  if (encoded_ && !is_done()) {
    refuse(415, "a body with a Content-Encoding is not understood", error);
  }
}

void HttpParser::on_body_init_impl(const boost::optional<std::uint64_t>& length,
                                   beast::error_code&) {
  // A client's claim is not worth the memory before its bytes are.
  constexpr std::uint64_t kReserveMax = 64u << 10;
  if (length) HttpRequestAccess::body(request_).reserve(std::min(*length, kReserveMax));
}

std::size_t HttpParser::on_body_impl(string_view piece, beast::error_code&) {
  HttpRequestAccess::body(request_).append(piece.data(), piece.size());
  return piece.size();
}

void HttpParser::on_chunk_header_impl(std::uint64_t size, string_view, beast::error_code& error) {
  in_trailer_ = size == 0;
  const auto before = HttpRequestAccess::body(request_).size();
  if (size > limits_.body_bytes - std::min(limits_.body_bytes, before)) {
    refuse(413, "the body is larger than this server takes", error);
  }
}

std::size_t HttpParser::on_chunk_body_impl(std::uint64_t, string_view piece, beast::error_code&) {
  HttpRequestAccess::body(request_).append(piece.data(), piece.size());
  return piece.size();
}

HttpResponse HttpParser::fault(beast::error_code code, bool line_ended) const {
  using error = beast::http::error;
  const auto is = [&](beast::http::error which) { return code == which; };
  if (status_ == 413 || is(error::body_limit)) {
    return problem(413, "body_too_large", "the body is larger than this server takes",
                   "at most " + std::to_string(limits_.body_bytes) + " bytes");
  }
  if (status_ == 414 || (is(error::header_limit) && !line_ended)) {
    return problem(414, "uri_too_long", "the request target is longer than this server takes",
                   "at most " + std::to_string(limits_.uri_bytes) + " bytes");
  }
  if (status_ == 431 || is(error::header_limit)) {
    return problem(431, "header_too_large", "the header is larger than this server takes",
                   "at most " + std::to_string(limits_.header_bytes) + " bytes in " +
                       std::to_string(limits_.header_fields) + " fields");
  }
  if (status_ == 415) {
    auto response = problem(415, "encoded_body", detail_, "send it as it is");
    response.headers.emplace_back("Accept-Encoding", "identity");
    return response;
  }
  if (status_ == 501) return problem(501, "not_implemented", detail_);
  return problem(400, "malformed_request",
                 detail_ ? std::string(detail_) : "malformed HTTP: " + code.message());
}

}  // namespace thalweg::internal
