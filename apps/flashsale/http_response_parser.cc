#include "http_response_parser.h"

#include <algorithm>
#include <charconv>

namespace thalweg::flashsale {
namespace {

// A load generator reads answers of its own shop; past these sizes something else is answering.
constexpr std::size_t kHeadBytesMax = 64 * 1024;
constexpr std::size_t kBodyBytesMax = 256 * 1024 * 1024;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool parse_number(std::string_view text, int base, std::size_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size() && number <= kBodyBytesMax;
}

}  // namespace

HttpResponseParser::State HttpResponseParser::feed(std::string_view bytes) {
  buffer_.append(bytes);
  return state_ == State::kMore ? parse() : state_;
}

HttpResponseParser::State HttpResponseParser::next() {
  buffer_.erase(0, at_);
  at_ = 0;
  assembled_.clear();
  body_ = {};
  length_ = 0;
  status_ = 0;
  chunked_ = false;
  part_ = Part::kHead;
  state_ = State::kMore;
  return buffer_.empty() ? state_ : parse();
}

HttpResponseParser::State HttpResponseParser::parse() {
  if (part_ == Part::kHead) {
    const auto end = buffer_.find("\r\n\r\n", at_);
    if (end == buffer_.npos) return buffer_.size() > kHeadBytesMax ? malformed() : State::kMore;
    keeps_alive_ = true;
    if (!parse_head(std::string_view(buffer_).substr(at_, end - at_))) return malformed();
    at_ = end + 4;
    if (status_ / 100 == 1) {  // An interim answer; the real one follows.
      status_ = 0;
      return parse();
    }
    part_ = chunked_ ? Part::kChunkSize : Part::kSized;
  }
  if (chunked_) return parse_chunked();
  if (buffer_.size() - at_ < length_) return State::kMore;
  body_ = std::string_view(buffer_).substr(at_, length_);
  at_ += length_;
  return state_ = State::kComplete;
}

bool HttpResponseParser::parse_head(std::string_view head) {
  const auto line_end = head.find("\r\n");
  const auto line = head.substr(0, line_end);
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ') return false;
  std::size_t status = 0;
  if (!parse_number(line.substr(9, 3), 10, status) || status < 100 || status > 599) return false;
  status_ = static_cast<int>(status);
  keeps_alive_ = line[7] != '0';
  while (line_end != head.npos && !head.empty()) {
    const auto end = head.find("\r\n");
    if (end == head.npos) break;
    head.remove_prefix(end + 2);
    if (!parse_header(head.substr(0, head.find("\r\n")))) return false;
  }
  return true;
}

bool HttpResponseParser::parse_header(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == line.npos) return false;
  const auto name = line.substr(0, colon);
  const auto value = trimmed(line.substr(colon + 1));
  if (same_name(name, "content-length")) return parse_number(value, 10, length_);
  if (same_name(name, "transfer-encoding")) return chunked_ = same_name(value, "chunked");
  if (same_name(name, "connection") && same_name(value, "close")) keeps_alive_ = false;
  return true;
}

HttpResponseParser::State HttpResponseParser::parse_chunked() {
  for (;;) {
    if (part_ == Part::kChunk) {
      if (buffer_.size() - at_ < length_ + 2) return State::kMore;
      assembled_.append(buffer_, at_, length_);
      at_ += length_;
      if (assembled_.size() > kBodyBytesMax || buffer_.compare(at_, 2, "\r\n") != 0) {
        return malformed();
      }
      at_ += 2;
      part_ = Part::kChunkSize;
    }
    const auto end = buffer_.find("\r\n", at_);
    if (end == buffer_.npos) return State::kMore;
    const auto line = std::string_view(buffer_).substr(at_, end - at_);
    at_ = end + 2;
    if (part_ == Part::kTrailer) {
      if (!line.empty()) continue;
      body_ = assembled_;
      return state_ = State::kComplete;
    }
    if (!parse_number(trimmed(line.substr(0, line.find(';'))), 16, length_)) return malformed();
    part_ = length_ == 0 ? Part::kTrailer : Part::kChunk;
  }
}

}  // namespace thalweg::flashsale
