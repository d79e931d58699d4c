#include "stub_server.h"

#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

namespace thalweg::flashsale {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

class StubServer::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, std::shared_ptr<std::function<Reply(const Request&)>> handler)
      : socket_(std::move(socket)), handler_(std::move(handler)) {}

  void read() {
    asio::async_read_until(
        socket_, asio::dynamic_buffer(bytes_), "\r\n\r\n",
        [self = shared_from_this()](error_code error, std::size_t head) {
          if (!error) self->read_body(head);
        });
  }

 private:
  std::string header(const std::string& head, const std::string& name) const {
    const auto at = head.find("\r\n" + name + ": ");
    if (at == head.npos) return {};
    const auto begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }

  void read_body(std::size_t head_size) {
    const std::string head = bytes_.substr(0, head_size);
    bytes_.erase(0, head_size);
    const auto space = head.find(' ');
    request_.method = head.substr(0, space);
    request_.path = head.substr(space + 1, head.find(' ', space + 1) - space - 1);
    request_.key = header(head, "Idempotency-Key");
    const auto length = header(head, "Content-Length");
    const std::size_t wanted = length.empty() ? 0 : std::stoul(length);
    const std::size_t missing = wanted > bytes_.size() ? wanted - bytes_.size() : 0;
    asio::async_read(socket_, asio::dynamic_buffer(bytes_), asio::transfer_exactly(missing),
                     [self = shared_from_this(), wanted](error_code error, std::size_t) {
                       if (!error) self->answer(wanted);
                     });
  }

  void answer(std::size_t body_size) {
    request_.body = bytes_.substr(0, body_size);
    bytes_.erase(0, body_size);
    const Reply reply = (*handler_)(request_);
    if (reply.then == Reply::Then::kHangUp) return;
    if (reply.then == Reply::Then::kSilence) return read();
    const bool closes = reply.then == Reply::Then::kClose;
    out_ = "HTTP/1.1 " + std::to_string(reply.status) + " X\r\nContent-Length: " +
           std::to_string(reply.body.size()) + (closes ? "\r\nConnection: close" : "") +
           "\r\n\r\n" + reply.body;
    asio::async_write(socket_, asio::buffer(out_),
                      [self = shared_from_this(), closes](error_code error, std::size_t) {
                        if (!error && !closes) self->read();
                      });
  }

  tcp::socket socket_;
  std::shared_ptr<std::function<Reply(const Request&)>> handler_;
  std::string bytes_;
  std::string out_;
  Request request_;
};

StubServer::StubServer(asio::io_context& io, std::function<Reply(const Request&)> handler)
    : acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      handler_(std::make_shared<std::function<Reply(const Request&)>>(std::move(handler))) {
  accept();
}

StubServer::~StubServer() = default;

void StubServer::accept() {
  acceptor_.async_accept([this](error_code error, tcp::socket socket) {
    if (error) return;
    ++accepted_;
    std::make_shared<Session>(std::move(socket), handler_)->read();
    accept();
  });
}

}  // namespace thalweg::flashsale
