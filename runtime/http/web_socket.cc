#include <algorithm>
#include <array>
#include <utility>

#include <boost/beast/core/detail/base64.hpp>
#include <boost/uuid/detail/sha1.hpp>

#include <thalweg/runtime/web_socket.h>

#include "http/http_request.h"

namespace thalweg {
namespace {

constexpr std::uint8_t kContinuation = 0x0;
constexpr std::uint8_t kText = 0x1;
constexpr std::uint8_t kClose = 0x8;
constexpr std::uint8_t kPing = 0x9;
constexpr std::uint8_t kPong = 0xA;
constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::size_t kControlMax = 125;

/// What the client expects back: it shows that the server speaks the protocol.
std::string accept_key(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  boost::uuids::detail::sha1 sha1;
  sha1.process_bytes(text.data(), text.size());
  boost::uuids::detail::sha1::digest_type words;
  sha1.get_digest(words);
  std::array<unsigned char, 20> digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<unsigned char>(words[i / 4] >> (24 - 8 * (i % 4)));
  }
  namespace base64 = boost::beast::detail::base64;
  std::string out(base64::encoded_size(digest.size()), '\0');
  out.resize(base64::encode(out.data(), digest.data(), digest.size()));
  return out;
}

/// Calls `visit(token)` for each part of a list with commas.
template <typename Visit>
void for_each_token(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    std::string_view token = list.substr(0, end);
    while (token.starts_with(' ')) token.remove_prefix(1);
    while (token.ends_with(' ')) token.remove_suffix(1);
    if (!token.empty()) visit(token);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

bool has_token(std::string_view list, std::string_view wanted) {
  bool found = false;
  for_each_token(list, [&](std::string_view token) {
    found |= internal::equal_ignoring_case(token, wanted);
  });
  return found;
}

std::string chosen(const std::vector<std::string>& known, std::string_view offered) {
  for (const auto& protocol : known) {
    if (has_token(offered, protocol)) return protocol;
  }
  return {};
}

/// Why the request cannot become a WebSocket; status 0 if it can.
HttpResponse refusal(const HttpRequest& request) {
  if (!has_token(request.header("Upgrade").value_or(""), "websocket") ||
      !has_token(request.header("Connection").value_or(""), "upgrade")) {
    auto response = problem(426, "upgrade_required", "this path speaks the WebSocket protocol");
    response.headers.emplace_back("Upgrade", "websocket");
    return response;
  }
  if (request.header("Sec-WebSocket-Version").value_or("") != "13") {
    auto response = problem(426, "websocket_version", "the version spoken here is 13");
    response.headers.emplace_back("Sec-WebSocket-Version", "13");
    return response;
  }
  if (request.header("Sec-WebSocket-Key").value_or("").size() != 24) {
    return problem(400, "websocket_key", "Sec-WebSocket-Key is not 16 bytes in base64");
  }
  const auto origin = request.header("Origin");
  const auto host = request.header("Host");
  if (origin) {
    const auto scheme_end = origin->find("://");
    if (!host || scheme_end == std::string_view::npos || origin->substr(scheme_end + 3) != *host) {
      return problem(403, "cross_origin", "pages of another site may not listen here");
    }
  }
  return {.status = 0};
}

/// Whether bytes are UTF-8, which text messages have to be.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
    const std::uint8_t first = byte(i);
    if (first < 0x80) {
      ++i;
      continue;
    }
    const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || i + size > text.size()) return false;
    std::uint32_t code = first & (0x7Fu >> size);
    for (std::size_t j = i + 1; j < i + size; ++j) {
      if ((byte(j) & 0xC0) != 0x80) return false;
      code = code << 6 | (byte(j) & 0x3Fu);
    }
    const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
    if (overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    i += size;
  }
  return true;
}

}  // namespace

WebSocket::WebSocket(Options options, std::string protocol)
    : options_(std::move(options)), protocol_(std::move(protocol)) {}

std::shared_ptr<WebSocket> WebSocket::accept(const HttpRequest& request, Responder responder,
                                             Options options) {
  if (auto refused = refusal(request); refused.status != 0) {
    responder.send(std::move(refused));
    return nullptr;
  }
  auto protocol =
      chosen(options.protocols, request.header("Sec-WebSocket-Protocol").value_or(""));
  std::shared_ptr<WebSocket> socket(new WebSocket(std::move(options), std::move(protocol)));
  std::string head =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      accept_key(*request.header("Sec-WebSocket-Key")) + "\r\n";
  if (!socket->protocol_.empty()) head += "Sec-WebSocket-Protocol: " + socket->protocol_ + "\r\n";
  head += "\r\n";
  responder.upgrade(std::move(head), socket->stream_, [socket](std::string_view bytes) {
    if (bytes.empty()) return socket->end();
    socket->on_bytes(bytes);
  });
  return socket;
}

void WebSocket::send(std::string_view text, ResponseStream::Ready taken) {
  {
    const std::lock_guard lock(mutex_);
    // Moved from only if the frame is written.
    if (write_frame(kText, text, std::move(taken))) return;
  }
  if (taken) taken(false);
}

void WebSocket::ping() {
  const std::lock_guard lock(mutex_);
  write_frame(kPing, {});
}

bool WebSocket::is_closed() {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void WebSocket::close(std::uint16_t code, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  write_close(code, reason);
}

bool WebSocket::write_frame(std::uint8_t opcode, std::string_view payload,
                            ResponseStream::Ready&& taken) {
  if (closed_) return false;
  if (unsent_ + payload.size() > options_.unsent_bytes && opcode != kClose) {
    write_close(1013, "too much is unsent");
    return false;
  }
  std::string frame(1, static_cast<char>(kFinal | opcode));
  if (payload.size() <= kControlMax) {
    frame += static_cast<char>(payload.size());
  } else {
    const int bytes = payload.size() <= 0xFFFF ? 2 : 8;
    frame += static_cast<char>(bytes == 2 ? 126 : 127);
    for (int i = bytes - 1; i >= 0; --i) {
      frame += static_cast<char>(static_cast<std::uint64_t>(payload.size()) >> (8 * i));
    }
  }
  frame += payload;
  const std::size_t size = frame.size();
  unsent_ += size;
  stream_.write(std::move(frame), [self = shared_from_this(), size,
                                   taken = std::move(taken)](bool alive) mutable {
    if (alive) {  // Else nobody counts any more; and write() itself may have called.
      const std::lock_guard lock(self->mutex_);
      self->unsent_ -= size;
    }
    if (taken) taken(alive);
  });
  return true;
}

void WebSocket::write_close(std::uint16_t code, std::string_view reason) {
  if (closed_) return;
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  payload += reason.substr(0, kControlMax - 2);
  write_frame(kClose, payload);
  closed_ = true;
  stream_.finish();
}

void WebSocket::end() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    stream_ = {};
  }
  deaf_ = true;
  const auto on_end = std::exchange(options_.on_end, {});
  options_.on_text = {};
  if (on_end) on_end();
}

// --- What the client sends --------------------------------------------------------------------

void WebSocket::on_bytes(std::string_view bytes) {
  if (deaf_ || is_closed()) return;
  input_ += bytes;
  while (!deaf_ && take_frame()) {
  }
}

/// Takes one frame out of the input; false: there is no whole one.
bool WebSocket::take_frame() {
  const auto byte = [this](std::size_t at) { return static_cast<std::uint8_t>(input_[at]); };
  if (input_.size() < 2) return false;
  const std::uint8_t first = byte(0);
  std::size_t head = 2;
  std::uint64_t size = byte(1) & 0x7F;
  const bool control = (first & 0x08) != 0;
  if ((first & 0x70) != 0 || (byte(1) & kMasked) == 0 ||
      (control && (size > kControlMax || (first & kFinal) == 0))) {
    deaf_ = true;
    fail(1002, "a frame is not as the protocol says");
    return false;
  }
  if (size >= 126) {
    const std::size_t bytes = size == 126 ? 2 : 8;
    if (input_.size() < head + bytes) return false;
    size = 0;
    for (std::size_t i = 0; i < bytes; ++i) size = size << 8 | byte(head + i);
    head += bytes;
  }
  if (!control && size > options_.message_bytes - message_.size()) {
    deaf_ = true;
    fail(1009, "the message is too long");
    return false;
  }
  constexpr std::size_t kMask = 4;
  if (input_.size() < head + kMask + size) return false;
  std::string payload = input_.substr(head + kMask, static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < payload.size(); ++i) {
    payload[i] = static_cast<char>(payload[i] ^ input_[head + i % kMask]);
  }
  input_.erase(0, head + kMask + payload.size());
  take_payload(first, std::move(payload));
  return true;
}

void WebSocket::take_payload(std::uint8_t first, std::string payload) {
  switch (first & 0x0F) {
    case kPing: {
      const std::lock_guard lock(mutex_);
      write_frame(kPong, payload);
      return;
    }
    case kPong: return;
    case kClose:
      deaf_ = true;
      return close(1000, {});
    case kText:
    case kContinuation: break;
    default:
      deaf_ = true;
      return fail(1003, "only text is understood");
  }
  if (((first & 0x0F) == kText) == in_message_) {
    deaf_ = true;
    return fail(1002, "a fragment is out of place");
  }
  message_ += payload;
  in_message_ = (first & kFinal) == 0;
  if (in_message_) return;
  std::string text = std::exchange(message_, {});
  if (!is_utf8(text)) {
    deaf_ = true;
    return fail(1007, "the text is not UTF-8");
  }
  if (options_.on_text) options_.on_text(*this, std::move(text));
}

}  // namespace thalweg
