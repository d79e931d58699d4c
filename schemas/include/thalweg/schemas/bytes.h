#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

namespace thalweg {

/// Serialised bytes that somebody else owns. Compared as unsigned bytes, as Kafka and RocksDB do.
using BytesView = std::string_view;

/// Raw bytes as a key or value of a topology: a type of its own, so that it is never taken for
/// text.
struct Bytes {
  std::string data;

  friend auto operator<=>(const Bytes&, const Bytes&) = default;
};

}  // namespace thalweg

template <>
struct std::hash<thalweg::Bytes> {
  std::size_t operator()(const thalweg::Bytes& bytes) const noexcept {
    return std::hash<std::string>{}(bytes.data);
  }
};
