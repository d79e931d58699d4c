#include <thalweg/topology/internal/change_serde.h>

#include <cstdint>

namespace thalweg::internal {
namespace {

std::string zigzag_varint(std::size_t length) {
  std::string bytes;
  for (std::uint64_t rest = static_cast<std::uint64_t>(length) << 1;; rest >>= 7) {
    if (rest < 0x80) {
      bytes += static_cast<char>(rest);
      return bytes;
    }
    bytes += static_cast<char>((rest & 0x7f) | 0x80);
  }
}

/// Takes a length off the front.
std::size_t read_length(BytesView& bytes) {
  constexpr int kMostBits = 35;
  std::uint64_t zigzag = 0;
  for (int shift = 0; shift < kMostBits && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    zigzag |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) != 0) continue;
    const std::uint64_t length = zigzag >> 1;
    if ((zigzag & 1) == 0 && length <= bytes.size()) return length;
    break;
  }
  throw SerdeError("a change's length of its new value does not fit");
}

}  // namespace

ChangeBytes ChangeBytes::parse(BytesView bytes) {
  if (bytes.empty()) throw SerdeError("a change needs at least one byte, got none");
  const char format = bytes.back();
  bytes.remove_suffix(1);
  if (format >= 3 && format <= 5) {
    if (bytes.empty()) throw SerdeError("a change of format 3 to 5 needs at least two bytes");
    bytes.remove_suffix(1);
  }
  switch (format) {
    case 0:
    case 3:
      return {.new_value = {}, .old_value = bytes};
    case 1:
    case 4:
      return {.new_value = bytes, .old_value = {}};
    case 2:
    case 5: {
      const std::size_t length = read_length(bytes);
      return {.new_value = bytes.substr(0, length), .old_value = bytes.substr(length)};
    }
    default:
      throw SerdeError("a change's last byte says format " +
                       std::to_string(static_cast<int>(format)) + ", known are 0 to 5");
  }
}

void ChangeBytes::insert_length(std::string& out, std::size_t at, std::size_t length) {
  out.insert(at, zigzag_varint(length));
}

}  // namespace thalweg::internal
