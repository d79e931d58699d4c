#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <thalweg/schemas/error.h>

namespace thalweg {

/// `http://host[:port][/path]` or the same with https, taken apart.
struct OutsideUrl {
  std::string host;
  std::string port = "80";  ///< 443 where https names none.
  std::string path;         ///< Without a `/` at its end; may be empty.
  bool secure = false;      ///< Over TLS.

  /// kInvalid for anything else.
  static Result<OutsideUrl> parse(std::string_view url);
  /// As a Host header names it.
  std::string authority() const;
};

struct OutsideRequest {
  std::string method = "POST";
  OutsideUrl url;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  std::chrono::milliseconds timeout{5'000};  ///< For all of it, waiting for a connection included.
  std::size_t reply_bytes_max = 64 * 1024;   ///< A longer reply is an error.
};

struct OutsideReply {
  int status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};

  bool ok() const { return status / 100 == 2; }
  /// The first header of that name, in whatever case it is written; empty if there is none.
  std::string_view header(std::string_view name) const;
};

/// kIo or kInvalid, with the file's name, unless `file` holds certificates in PEM.
Status check_ca_file(const std::string& file);

/// An HTTP/1.1 client for calls to other people's servers: connections are kept and used again, at
/// most so many to one server at a time; requests that find none free wait in the order in which
/// they came.
///
/// A request that was sent over a connection which had been kept, and which the server turns out to
/// have closed without an answer, is sent once more over a new one. Requests that change something
/// should therefore carry an idempotency key.
///
/// https is TLS 1.2 or 1.3. The server has to show a certificate of the URL's host, signed by an
/// authority that is believed: one of the system's, or with a `ca_file` (PEM) one of those there
/// and no other. Otherwise nothing is sent: "the certificate of HOST is not trusted: ...". There is
/// no way around that.
///
/// Has one thread of its own, from the first request on. send() may be called from any thread;
/// `done` is called once, from the client's thread, with a reply of whatever status, or with a
/// sentence that says why there is none.
class OutsideClient {
 public:
  using Done = std::move_only_function<void(std::expected<OutsideReply, std::string>)>;

  static constexpr std::size_t kConnectionsMax = 64;

  explicit OutsideClient(std::size_t connections_max = kConnectionsMax, std::string ca_file = {});
  /// Requests that are under way end with an error.
  ~OutsideClient();
  OutsideClient(const OutsideClient&) = delete;
  OutsideClient& operator=(const OutsideClient&) = delete;

  void send(OutsideRequest request, Done done);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace thalweg
