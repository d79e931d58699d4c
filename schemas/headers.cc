#include <algorithm>
#include <cstdint>

#include <thalweg/schemas/error.h>
#include <thalweg/schemas/headers.h>

namespace thalweg {
namespace {

void append_varint(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

/// Takes fields off the front of encoded headers; every error says at which byte.
class Reader {
 public:
  explicit Reader(BytesView encoded) : encoded_(encoded) {}

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (position_ == encoded_.size()) fail("they end within a length");
      const auto byte = static_cast<unsigned char>(encoded_[position_++]);
      const std::uint64_t bits = byte & 0x7fU;
      if (shift == 63 && bits > 1) break;
      value |= bits << shift;
      if ((byte & 0x80U) == 0) {
        if (byte == 0 && shift > 0) fail("a length has needless bytes");
        return value;
      }
    }
    fail("a length does not fit 64 bits");
  }

  BytesView take(std::uint64_t size) {
    if (size > remaining()) {
      fail(std::to_string(size) + " bytes are announced, " + std::to_string(remaining()) +
           " are left");
    }
    const BytesView taken = encoded_.substr(position_, size);
    position_ += size;
    return taken;
  }

  std::size_t remaining() const { return encoded_.size() - position_; }

  [[noreturn]] void fail(const std::string& what) const {
    throw SerdeError("bad record headers at byte " + std::to_string(position_) + ": " + what);
  }

 private:
  BytesView encoded_;
  std::size_t position_ = 0;
};

}  // namespace

void Headers::remove(std::string_view key) {
  std::erase_if(headers_, [key](const Header& header) { return header.key == key; });
}

const Header* Headers::last(std::string_view key) const {
  const auto found = std::find_if(headers_.rbegin(), headers_.rend(),
                                  [key](const Header& header) { return header.key == key; });
  return found == headers_.rend() ? nullptr : &*found;
}

void Headers::encode(std::string& out) const {
  if (headers_.empty()) return;
  append_varint(headers_.size(), out);
  for (const Header& header : headers_) {
    append_varint(header.key.size(), out);
    out.append(header.key);
    append_varint(header.value ? header.value->size() + 1 : 0, out);
    if (header.value) out.append(*header.value);
  }
}

Headers Headers::decode(BytesView encoded) {
  Headers headers;
  if (encoded.empty()) return headers;
  Reader reader(encoded);
  const std::uint64_t count = reader.varint();
  // A header takes at least two bytes, so a count that lies cannot make us reserve memory.
  if (count == 0 || count > reader.remaining() / 2) {
    reader.fail("a count of " + std::to_string(count) + " does not fit what follows");
  }
  headers.headers_.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    Header& header = headers.headers_.emplace_back();
    header.key = reader.take(reader.varint());
    const std::uint64_t value_size = reader.varint();
    if (value_size > 0) header.value = reader.take(value_size - 1);
  }
  if (reader.remaining() > 0) {
    reader.fail(std::to_string(reader.remaining()) + " bytes follow the last header");
  }
  return headers;
}

}  // namespace thalweg
