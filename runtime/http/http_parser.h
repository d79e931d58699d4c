#pragma once

#include <boost/beast/http/basic_parser.hpp>

#include "http/http_request.h"

namespace thalweg::internal {

namespace beast = boost::beast;

/// Reads one request's bytes into an HttpRequest, and holds them to the limits. One per request.
class HttpParser final : public beast::http::basic_parser<true> {
 public:
  HttpParser(HttpRequest& request, const HttpServerLimits& limits);

  /// What is wrong with the bytes, once put() has failed: 400, 413, 414, 415, 431.
  HttpResponse fault(beast::error_code code, bool line_ended) const;
  bool http11() const { return version_ == 11; }
  bool expects_continue() const { return expects_continue_; }
  bool expectation_unknown() const { return expectation_unknown_; }

 private:
  using string_view = beast::string_view;

  void on_request_impl(beast::http::verb method, string_view method_text, string_view target,
                       int version, beast::error_code& error) override;
  void on_field_impl(beast::http::field field, string_view name, string_view value,
                     beast::error_code& error) override;
  void on_header_impl(beast::error_code& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length,
                         beast::error_code& error) override;
  std::size_t on_body_impl(string_view piece, beast::error_code& error) override;
  void on_chunk_header_impl(std::uint64_t size, string_view extensions,
                            beast::error_code& error) override;
  std::size_t on_chunk_body_impl(std::uint64_t remain, string_view piece,
                                 beast::error_code& error) override;
  void on_response_impl(int, string_view, int, beast::error_code&) override {}
  void on_finish_impl(beast::error_code&) override {}

  HttpRequest& request_;
  const HttpServerLimits& limits_;
  std::size_t header_bytes_ = 0;
  std::size_t fields_ = 0;
  std::size_t hosts_ = 0;
  int version_ = 11;
  bool in_trailer_ = false;
  bool expects_continue_ = false;
  bool expectation_unknown_ = false;
  bool encoded_ = false;  ///< The body is not as it is meant: compressed, say.
  int status_ = 0;  ///< Of a fault found here; 0: the base class found it.
  const char* detail_ = nullptr;

  void refuse(int status, const char* detail, beast::error_code& error);
};

}  // namespace thalweg::internal
