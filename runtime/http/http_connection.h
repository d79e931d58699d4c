#pragma once

#include <array>
#include <optional>

#include "http/http_loop.h"
#include "http/http_parser.h"
#include "http/http_response.h"

namespace thalweg::internal {

/// Calls what a stream or a post left to be called; whatever it throws ends here.
void call_ready(ResponseStream::Ready& ready, bool alive);
void call_all(std::vector<ResponseStream::Ready> all, bool alive);

/// One client: reads a request, has it answered, writes the answer, and begins again. All but
/// send() belongs to the thread of its loop.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(std::shared_ptr<HttpLoop> loop, asio::ip::tcp::socket socket);
  ~HttpConnection();

  void start();
  void begin_stop();
  void close();
  void check_deadline(Clock::Instant now);
  /// From any thread: deals with `mail` at once where that is possible, else posts it.
  static void send(std::shared_ptr<HttpConnection> connection, HttpMail&& mail);
  void deliver(HttpMail& mail);

  std::size_t index() const { return index_; }
  void set_index(std::size_t index) { index_ = index; }

 private:
  enum class State : std::uint8_t {
    kIdle,     ///< Nothing of the next request is here.
    kHead,     ///< Some of its head is.
    kBody,     ///< The head is complete and valid.
    kHandler,  ///< Its handler has it, or will answer later.
    kHeld,     ///< It is answered; the next request is here and may be so before all is written.
    kWrite,    ///< The answer is being written.
    kStream,   ///< Pieces of the answer are being written or waited for.
    kLinger,   ///< All is written; what the client still sends is thrown away, so that it can read
               ///< it.
    kClosed,
  };

  // --- Reading ---
  void read();
  void on_read(boost::system::error_code error, std::size_t size);
  void process();
  void process_soon();
  bool parse_some();
  void need_more();
  void await_input();
  void begin_body();
  std::optional<HttpResponse> refusal();
  std::optional<HttpResponse> origin_fault() const;
  std::optional<HttpResponse> token_fault() const;
  void dispatch();
  void call_handler(Responder responder);

  // --- Answering ---
  void answer(HttpResponse response);
  void refuse(const HttpResponse& response);
  void write_answer();
  void write_held();
  void on_written(boost::system::error_code error);
  void begin_stream(HttpResponse head);
  void begin_upgrade(std::string head, std::function<void(std::string_view)> on_bytes);
  void give_bytes(std::size_t size);
  void add_piece(std::string&& piece, ResponseStream::Ready ready);
  void finish_stream();
  void write_pieces();
  void on_pieces_written(boost::system::error_code error);
  void next_request();
  void linger();

  void set_deadline(std::chrono::milliseconds after) { deadline_ = system_clock().now() + after; }
  const HttpServerLimits& limits() const { return loop_->shared().options.limits; }

  std::shared_ptr<HttpLoop> loop_;
  asio::ip::tcp::socket socket_;
  std::string peer_;
  std::size_t index_ = 0;
  State state_ = State::kIdle;
  Clock::Instant deadline_{};
  Clock::Instant began_{};

  std::vector<char> input_;
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  bool reading_ = false;
  bool processing_ = false;  ///< process() is on the stack.

  HttpRequest request_;
  std::vector<HttpRequestAccess::Slice> segments_;
  std::optional<HttpParser> parser_;
  const HttpRouter::Route* route_ = nullptr;
  std::optional<HttpResponse> otherwise_;  ///< What to answer at the deadline.
  std::uint64_t request_number_ = 0;       ///< Answers to earlier requests are too late.
  bool keep_alive_ = true;
  bool http11_ = true;
  bool head_only_ = false;

  std::string output_;  ///< In kIdle to kHandler: answers that are yet to be written.
  std::string output_body_;
  int status_ = 0;

  bool writing_ = false;                              ///< A write of pieces is under way.
  bool finished_ = false;                             ///< The stream has no more pieces.
  std::function<void(std::string_view)> on_bytes_;    ///< Of a connection that has left HTTP.
  std::string pieces_;                                ///< Waiting for that write.
  std::vector<ResponseStream::Ready> pieces_ready_;   ///< Of the pieces waiting.
  std::vector<ResponseStream::Ready> writing_ready_;  ///< Of the pieces being written.
};

}  // namespace thalweg::internal
