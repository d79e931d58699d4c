#include "query/raw_client.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace thalweg::testing {

RawClient::RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{60, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd_);
    throw std::runtime_error("cannot connect");
  }
}

RawClient::~RawClient() { ::close(fd_); }

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawClient::finish_sending() { ::shutdown(fd_, SHUT_WR); }

bool RawClient::fill() {
  char bytes[16384];
  const auto size = ::recv(fd_, bytes, sizeof bytes, 0);
  if (size <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(size));
  return true;
}

std::string RawClient::read_to_end() {
  while (fill()) {
  }
  return std::move(buffer_);
}

std::optional<std::string> RawClient::read_line() {
  std::size_t end;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  auto line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return line;
}

bool RawClient::read_exactly(std::size_t size, std::string& into) {
  while (buffer_.size() < size) {
    if (fill()) continue;
    into += buffer_;
    return false;
  }
  into.append(buffer_, 0, size);
  buffer_.erase(0, size);
  return true;
}

void RawClient::read_chunks(RawResponse& response) {
  for (;;) {
    const auto line = read_line();
    if (!line) return;
    const auto size = std::stoul(*line, nullptr, 16);
    if (!read_exactly(size, response.body) || !read_line()) return;
    if (size == 0) {
      response.complete = true;
      return;
    }
  }
}

RawResponse RawClient::read(bool to_head_request) {
  RawResponse response;
  auto line = read_line();
  if (!line || line->size() < 12) return response;
  response.status = std::stoi(line->substr(9, 3));
  while ((line = read_line()) && !line->empty()) {
    const auto colon = line->find(": ");
    std::string name = line->substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    response.headers[name] = line->substr(colon + 2);
  }
  if (to_head_request || response.status < 200 || response.status == 204) {
    response.complete = line.has_value();
  } else if (response.header("transfer-encoding") == "chunked") {
    read_chunks(response);
  } else if (!response.header("content-length").empty()) {
    response.complete = read_exactly(std::stoul(response.header("content-length")), response.body);
  } else {
    response.body = read_to_end();
    response.complete = true;
  }
  return response;
}

std::string RawClient::read_until(std::string_view mark) {
  std::size_t at;
  while ((at = buffer_.find(mark)) == buffer_.npos) {
    if (!fill()) return std::exchange(buffer_, {});
  }
  std::string text = buffer_.substr(0, at + mark.size());
  buffer_.erase(0, at + mark.size());
  return text;
}

RawResponse RawClient::get(std::string_view target, std::string_view headers) {
  std::string text = "GET ";
  text.append(target).append(" HTTP/1.1\r\nHost: test\r\n").append(headers).append("\r\n");
  send(text);
  return read();
}

RawResponse RawClient::request(std::string_view method, std::string_view target,
                               std::string_view body, std::string_view headers) {
  std::string text(method);
  text.append(" ").append(target).append(" HTTP/1.1\r\nHost: test\r\n").append(headers);
  text.append("Content-Length: ")
      .append(std::to_string(body.size()))
      .append("\r\n\r\n")
      .append(body);
  send(text);
  return read(method == "HEAD");
}

}  // namespace thalweg::testing
