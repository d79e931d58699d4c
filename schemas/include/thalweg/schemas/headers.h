#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/schemas/bytes.h>

namespace thalweg {

struct Header {
  std::string key;
  std::optional<std::string> value;  ///< Kafka allows a header without a value.

  friend bool operator==(const Header&, const Header&) = default;
};

/// A record's headers, in the order they were added; a key may occur more than once.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Header> headers) : headers_(headers) {}

  void add(std::string key, std::optional<std::string> value) {
    headers_.push_back({std::move(key), std::move(value)});
  }
  /// Removes every header of that key.
  void remove(std::string_view key);
  /// The last header of that key, or null: the one Kafka's `lastHeader` returns.
  const Header* last(std::string_view key) const;

  bool empty() const { return headers_.empty(); }
  std::size_t size() const { return headers_.size(); }
  auto begin() const { return headers_.begin(); }
  auto end() const { return headers_.end(); }

  friend bool operator==(const Headers&, const Headers&) = default;

  /// Appends the form in which log adapters carry headers: a varint count, then per header a
  /// varint-prefixed key and a varint of length + 1 (0: no value) with the value. Nothing when
  /// empty.
  void encode(std::string& out) const;
  /// Reads what encode() wrote; empty bytes are no headers. Throws SerdeError on anything else.
  static Headers decode(BytesView encoded);

 private:
  std::vector<Header> headers_;
};

/// Headers of nobody, for records that have none.
inline const Headers kNoHeaders;

}  // namespace thalweg
