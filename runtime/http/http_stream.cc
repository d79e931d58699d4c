// The part of a connection that writes piece by piece: answers of unknown length, and what follows
// an upgrade.

#include <cstdio>
#include <cstring>

#include <boost/asio/write.hpp>

#include "http/http_connection.h"

namespace thalweg::internal {

namespace {

void append_chunk(std::string_view piece, bool framed, std::string& out) {
  if (piece.empty()) return;  // An empty chunk would end the body.
  if (!framed) {
    out += piece;
    return;
  }
  char size[20];
  out.append(size,
             static_cast<std::size_t>(std::snprintf(size, sizeof size, "%zx\r\n", piece.size())));
  out += piece;
  out += "\r\n";
}

}  // namespace

void HttpConnection::begin_stream(HttpResponse head) {
  if (!has_body(head.status)) {
    head.body.clear();
    return answer(std::move(head));
  }
  state_ = State::kStream;
  writing_ = false;
  finished_ = head_only_;  // The head alone, which tells no length; no piece is wanted.
  if (loop_->stopping() || !http11_) keep_alive_ = false;  // Before 1.1 the end is that of all.
  status_ = head.status;
  pieces_ = std::exchange(output_, {});
  write_head(head,
             {.date = loop_->date(), .keep_alive = keep_alive_, .http11 = http11_, .chunked = true},
             pieces_);
  if (!head_only_) append_chunk(head.body, http11_, pieces_);
  write_pieces();
}

void HttpConnection::begin_upgrade(std::string head,
                                   std::function<void(std::string_view)> on_bytes) {
  if (loop_->stopping()) {
    on_bytes({});
    return close();
  }
  state_ = State::kStream;
  finished_ = writing_ = keep_alive_ = false;
  status_ = 101;
  on_bytes_ = std::move(on_bytes);
  pieces_ = std::exchange(output_, {}) + head;
  write_pieces();
  const std::size_t size = input_end_ - input_begin_;
  std::memmove(input_.data(), input_.data() + input_begin_, size);
  give_bytes(size);
}

/// The first `size` bytes of the input are the client's; then reads on.
void HttpConnection::give_bytes(std::size_t size) {
  input_begin_ = input_end_ = 0;
  if (size > 0) {
    const auto on_bytes = on_bytes_;  // It may close the connection.
    on_bytes({input_.data(), size});
  }
  if (state_ == State::kStream) read();
}

void HttpConnection::add_piece(std::string&& piece, ResponseStream::Ready ready) {
  append_chunk(piece, http11_ && !on_bytes_, pieces_);
  pieces_ready_.push_back(std::move(ready));
  if (!writing_) write_pieces();
}

void HttpConnection::finish_stream() {
  if (finished_) return;
  if (http11_ && !on_bytes_) pieces_ += "0\r\n\r\n";
  finished_ = true;
  if (!writing_) write_pieces();
}

void HttpConnection::write_pieces() {
  writing_ = true;
  set_deadline(limits().write_time);
  output_.swap(pieces_);
  writing_ready_.swap(pieces_ready_);
  asio::async_write(socket_, asio::buffer(output_),
                    [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                      self->on_pieces_written(error);
                    });
}

void HttpConnection::on_pieces_written(boost::system::error_code error) {
  if (state_ == State::kClosed) return;
  if (error) return close();
  writing_ = false;
  output_.clear();
  call_all(std::exchange(writing_ready_, {}), true);  // They may write the next pieces.
  if (state_ != State::kStream || writing_) return;
  if (!pieces_.empty()) return write_pieces();
  if (!finished_) return;
  loop_->answered(status_, began_);
  next_request();
}

}  // namespace thalweg::internal
