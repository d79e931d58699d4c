#include "http/http_response.h"

#include <algorithm>
#include <charconv>

#include <thalweg/runtime/json_text.h>

namespace thalweg {

namespace {

void append_number(std::size_t number, std::string& out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

// A header made from user data must not be able to end its line.
void append_header(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(": ");
  for (const char c : value) out += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
  out += "\r\n";
}

}  // namespace

HttpResponse problem(int status, std::string_view code, std::string_view detail,
                     std::string_view hint) {
  HttpResponse response{.status = status, .content_type = "application/problem+json"};
  auto& body = response.body;
  body = R"({"type":"about:blank","title":)";
  append_json_string(internal::reason_phrase(status), body);
  body += R"(,"status":)";
  append_number(static_cast<std::size_t>(status), body);
  body += R"(,"code":)";
  append_json_string(code, body);
  body += R"(,"detail":)";
  append_json_string(detail, body);
  if (!hint.empty()) {
    body += R"(,"hint":)";
    append_json_string(hint, body);
  }
  body += '}';
  return response;
}

namespace internal {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 425:
      return "Too Early";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return status < 400 ? "OK" : "Error";
  }
}

void write_head(const HttpResponse& response, const HttpHeadOptions& options, std::string& out) {
  out += options.http11 ? "HTTP/1.1 " : "HTTP/1.0 ";
  append_number(static_cast<std::size_t>(std::clamp(response.status, 200, 599)), out);
  out += ' ';
  out += reason_phrase(response.status);
  out += "\r\nDate: ";
  out += options.date;
  out += "\r\n";
  if (has_body(response.status)) {
    if (!response.content_type.empty()) append_header("Content-Type", response.content_type, out);
    if (options.chunked) {
      if (options.http11) out += "Transfer-Encoding: chunked\r\n";
    } else {
      out += "Content-Length: ";
      append_number(response.body.size(), out);
      out += "\r\n";
    }
  }
  if (!options.keep_alive) {
    out += "Connection: close\r\n";
  } else if (!options.http11) {
    out += "Connection: keep-alive\r\n";
  }
  for (const auto& [name, value] : response.headers) append_header(name, value, out);
  out += "\r\n";
}

}  // namespace internal

}  // namespace thalweg
