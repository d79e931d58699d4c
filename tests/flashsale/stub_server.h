#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace thalweg::flashsale {

/// A server of a few lines on a loopback port, stepped by the io_context of its client: what it
/// answers is up to the test, and no thread or sleep is involved.
class StubServer {
 public:
  struct Request {
    std::string method;
    std::string path;
    std::string key;  ///< Idempotency-Key.
    std::string body;
  };
  struct Reply {
    int status = 200;
    std::string body;
    enum class Then { kKeep, kClose, kHangUp, kSilence } then = Then::kKeep;
  };
  /// Drops the connection instead of answering.
  static Reply hang_up() { return {0, {}, Reply::Then::kHangUp}; }
  /// Never answers.
  static Reply silence() { return {0, {}, Reply::Then::kSilence}; }

  StubServer(boost::asio::io_context& io, std::function<Reply(const Request&)> handler);
  ~StubServer();

  boost::asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }
  std::size_t connections_accepted() const { return accepted_; }
  /// Stops listening; open connections go on.
  void stop_listening() { acceptor_.close(); }

 private:
  class Session;
  void accept();

  boost::asio::ip::tcp::acceptor acceptor_;
  std::shared_ptr<std::function<Reply(const Request&)>> handler_;
  std::size_t accepted_ = 0;
};

}  // namespace thalweg::flashsale
