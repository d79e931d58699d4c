#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <thalweg/schemas/serde.h>

namespace thalweg::golden {

/// A key of a spec: text or null, in one type, so that streams from everywhere can meet.
class Key {
 public:
  Key() = default;
  Key(std::string text) : text_(std::move(text)) {}  // NOLINT: a key is its text.

  explicit operator bool() const { return text_.has_value(); }
  Key& operator*() { return *this; }
  const Key& operator*() const { return *this; }
  void reset() { text_.reset(); }
  void emplace() { text_.emplace(); }

  bool is_null() const { return !text_; }
  const std::string& text() const { return *text_; }
  std::string& text() { return *text_; }

  friend bool operator==(const Key&, const Key&) = default;

 private:
  std::optional<std::string> text_;
};

using Value = std::optional<std::int64_t>;

}  // namespace thalweg::golden

/// A Key holds its own null: it is its own payload.
template <>
struct thalweg::Payload<thalweg::golden::Key> {
  using type = golden::Key;
  static constexpr bool nullable = true;
};

template <>
struct thalweg::Serde<thalweg::golden::Key> {
  static void serialize(const golden::Key& key, std::string& out) { out += key.text(); }
  static void deserialize(BytesView bytes, golden::Key& out) {
    if (out.is_null()) out.emplace();
    out.text().assign(bytes);
  }
  static SchemaPtr schema() { return Serde<std::string>::schema(); }
};

template <>
struct std::hash<thalweg::golden::Key> {
  std::size_t operator()(const thalweg::golden::Key& key) const noexcept {
    return key.is_null() ? 0 : std::hash<std::string>{}(key.text());
  }
};
