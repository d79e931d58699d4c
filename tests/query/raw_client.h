#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace thalweg::testing {

/// What a server answered, byte for byte but for the framing.
struct RawResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< Names in lower case.
  std::string body;
  bool complete = false;  ///< All that was announced came.

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

/// A client that knows no HTTP when it sends, so that it can send anything. Reads block until the
/// server acts; a minute without anything ends them.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// False when the server has closed the connection.
  bool send(std::string_view bytes);
  void finish_sending();
  /// The next answer; status 0 when the connection ended first. Interim answers (1xx) are answers.
  RawResponse read(bool to_head_request = false);
  /// Reads what comes until the server closes.
  std::string read_to_end();
  /// Reads up to and with the next `mark`; what came when the connection ended before.
  std::string read_until(std::string_view mark);
  /// Whether the server closes without sending anything more.
  bool closed_silently() { return read_to_end().empty(); }

  RawResponse get(std::string_view target, std::string_view headers = "");
  RawResponse request(std::string_view method, std::string_view target, std::string_view body,
                      std::string_view headers = "");

 private:
  bool fill();
  std::optional<std::string> read_line();
  bool read_exactly(std::size_t size, std::string& into);
  void read_chunks(RawResponse& response);

  int fd_ = -1;
  std::string buffer_;
};

}  // namespace thalweg::testing
