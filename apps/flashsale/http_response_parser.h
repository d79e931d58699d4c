#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace thalweg::flashsale {

/// Takes HTTP/1.1 responses apart as their bytes arrive, one response after another.
///
/// Knows Content-Length and chunked bodies, which is all a server may send to a request without
/// upgrades. Call feed() with what was read; when complete() is true, read status() and body(),
/// then next() to go on with the bytes that followed.
class HttpResponseParser {
 public:
  enum class State { kMore, kComplete, kMalformed };

  /// Adds `bytes` and parses as far as they go.
  State feed(std::string_view bytes);
  State state() const { return state_; }

  int status() const { return status_; }
  std::string_view body() const { return body_; }
  /// False if the server closes the connection after this response.
  bool keeps_alive() const { return keeps_alive_; }
  /// True if not one byte of a response has arrived.
  bool is_fresh() const { return state_ == State::kMore && buffer_.empty(); }

  /// Forgets the complete response and parses what came after it.
  State next();

 private:
  enum class Part { kHead, kSized, kChunkSize, kChunk, kTrailer };

  State parse();
  bool parse_head(std::string_view head);
  bool parse_header(std::string_view line);
  State parse_chunked();
  State malformed() { return state_ = State::kMalformed; }

  std::string buffer_;     // Unparsed bytes begin at at_.
  std::size_t at_ = 0;
  std::string assembled_;  // Body of a chunked response.
  std::string_view body_;
  std::size_t length_ = 0;
  int status_ = 0;
  bool keeps_alive_ = true;
  bool chunked_ = false;
  Part part_ = Part::kHead;
  State state_ = State::kMore;
};

}  // namespace thalweg::flashsale
