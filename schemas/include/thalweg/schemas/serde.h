#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <thalweg/schemas/bytes.h>
#include <thalweg/schemas/error.h>
#include <thalweg/schemas/schema.h>

namespace thalweg {

/// How a T becomes bytes and back. Specialise it for a type of your own:
///
///     template <>
///     struct thalweg::Serde<Money> {
///       static void serialize(const Money& money, std::string& out);  // appends
///       static void deserialize(BytesView bytes, Money& out);         // throws SerdeError
///       static SchemaPtr schema();                                    // the JSON view
///     };
///
/// deserialize() overwrites `out`, whose memory it may reuse: a stream reads all its records into
/// the same two objects. Null is never serialised: a null payload stays null on the log.
///
/// Built in, in the byte formats of Java's serialisers (big-endian, IEEE 754, UTF-8): int16, int32,
/// int64, float, double, bool, std::string, Bytes, Uuid; FlatBuffers in flatbuffers_serde.h.
template <typename T>
struct Serde;

/// A type for which Serde<T> is specialised.
template <typename T>
concept Serializable = requires(const T& value, T& target, std::string& out, BytesView bytes) {
  Serde<T>::serialize(value, out);
  Serde<T>::deserialize(bytes, target);
  { Serde<T>::schema() } -> std::convertible_to<SchemaPtr>;
};

/// The type inside a nullable payload: T of std::optional<T>, otherwise T itself.
template <typename T>
struct Payload {
  using type = T;
  static constexpr bool nullable = false;
};
template <typename T>
struct Payload<std::optional<T>> {
  using type = T;
  static constexpr bool nullable = true;
};
template <typename T>
using payload_t = typename Payload<T>::type;
template <typename T>
inline constexpr bool is_nullable = Payload<T>::nullable;

/// A serde chosen at run time: what the options of an operator take, so that one call can use other
/// bytes than the type's own Serde. A small value; copies share the implementation.
template <typename T>
class AnySerde {
 public:
  /// The type's own Serde<T>.
  AnySerde()
    requires Serializable<T>
      : AnySerde(Serde<T>{}) {}

  /// Any object with Serde<T>'s three members, which need not be static: it may carry settings.
  template <typename S>
    requires(!std::same_as<S, AnySerde>)
  explicit AnySerde(S serde) : impl_(std::make_shared<const Impl<S>>(std::move(serde))) {}

  void serialize(const T& value, std::string& out) const { impl_->serialize(value, out); }
  void deserialize(BytesView bytes, T& out) const { impl_->deserialize(bytes, out); }
  SchemaPtr schema() const { return impl_->schema(); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void serialize(const T& value, std::string& out) const = 0;
    virtual void deserialize(BytesView bytes, T& out) const = 0;
    virtual SchemaPtr schema() const = 0;
  };
  template <typename S>
  struct Impl final : Base {
    explicit Impl(S chosen) : serde(std::move(chosen)) {}
    void serialize(const T& value, std::string& out) const override { serde.serialize(value, out); }
    void deserialize(BytesView bytes, T& out) const override { serde.deserialize(bytes, out); }
    SchemaPtr schema() const override { return serde.schema(); }
    S serde;
  };

  std::shared_ptr<const Base> impl_;
};

/// A random or name-based identifier; 36 characters of text on the wire, as Java's UUIDSerializer.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};
std::string to_string(const Uuid& uuid);
/// Throws SerdeError unless `text` is 8-4-4-4-12 hexadecimal digits.
Uuid uuid_from_string(std::string_view text);

namespace internal {

/// Throws the SerdeError "<type> needs <needed> bytes, got <got>".
[[noreturn]] void throw_wrong_size(std::string_view type, std::size_t needed, std::size_t got);
/// Throws the SerdeError for a bool byte other than 0 and 1.
[[noreturn]] void throw_bad_bool(char byte);

template <typename Unsigned>
constexpr Unsigned to_big_endian(Unsigned bits) {
  if constexpr (std::endian::native == std::endian::little) return std::byteswap(bits);
  return bits;
}

/// Appends the bits of `value`, most significant byte first.
template <typename Unsigned, typename T>
void append_big_endian(T value, std::string& out) {
  static_assert(sizeof(T) == sizeof(Unsigned));
  const Unsigned bits = to_big_endian(std::bit_cast<Unsigned>(value));
  out.append(reinterpret_cast<const char*>(&bits), sizeof bits);
}

template <typename Unsigned, typename T>
void read_big_endian(BytesView bytes, T& out, std::string_view type) {
  static_assert(sizeof(T) == sizeof(Unsigned));
  if (bytes.size() != sizeof(T)) [[unlikely]] throw_wrong_size(type, sizeof(T), bytes.size());
  Unsigned bits;
  std::memcpy(&bits, bytes.data(), sizeof bits);
  out = std::bit_cast<T>(to_big_endian(bits));
}

}  // namespace internal

template <>
struct Serde<std::int16_t> {
  static void serialize(std::int16_t value, std::string& out) {
    internal::append_big_endian<std::uint16_t>(value, out);
  }
  static void deserialize(BytesView bytes, std::int16_t& out) {
    internal::read_big_endian<std::uint16_t>(bytes, out, "int16");
  }
  static SchemaPtr schema();
};
template <>
struct Serde<std::int32_t> {
  static void serialize(std::int32_t value, std::string& out) {
    internal::append_big_endian<std::uint32_t>(value, out);
  }
  static void deserialize(BytesView bytes, std::int32_t& out) {
    internal::read_big_endian<std::uint32_t>(bytes, out, "int32");
  }
  static SchemaPtr schema();
};
template <>
struct Serde<std::int64_t> {
  static void serialize(std::int64_t value, std::string& out) {
    internal::append_big_endian<std::uint64_t>(value, out);
  }
  static void deserialize(BytesView bytes, std::int64_t& out) {
    internal::read_big_endian<std::uint64_t>(bytes, out, "int64");
  }
  static SchemaPtr schema();
};
template <>
struct Serde<float> {
  static void serialize(float value, std::string& out) {
    internal::append_big_endian<std::uint32_t>(value, out);
  }
  static void deserialize(BytesView bytes, float& out) {
    internal::read_big_endian<std::uint32_t>(bytes, out, "float");
  }
  static SchemaPtr schema();
};
template <>
struct Serde<double> {
  static void serialize(double value, std::string& out) {
    internal::append_big_endian<std::uint64_t>(value, out);
  }
  static void deserialize(BytesView bytes, double& out) {
    internal::read_big_endian<std::uint64_t>(bytes, out, "double");
  }
  static SchemaPtr schema();
};
template <>
struct Serde<bool> {
  static void serialize(bool value, std::string& out) { out.push_back(value ? '\1' : '\0'); }
  static void deserialize(BytesView bytes, bool& out) {
    if (bytes.size() != 1) [[unlikely]] internal::throw_wrong_size("bool", 1, bytes.size());
    const char byte = bytes.front();
    if ((byte & ~1) != 0) [[unlikely]] internal::throw_bad_bool(byte);
    out = byte != 0;
  }
  static SchemaPtr schema();
};
template <>
struct Serde<std::string> {
  static void serialize(const std::string& value, std::string& out) { out.append(value); }
  static void deserialize(BytesView bytes, std::string& out) { out.assign(bytes); }
  static SchemaPtr schema();
};
template <>
struct Serde<Bytes> {
  static void serialize(const Bytes& value, std::string& out) { out.append(value.data); }
  static void deserialize(BytesView bytes, Bytes& out) { out.data.assign(bytes); }
  static SchemaPtr schema() { return bytes_schema(); }
};
template <>
struct Serde<Uuid> {
  static void serialize(const Uuid& value, std::string& out);
  static void deserialize(BytesView bytes, Uuid& out);
  static SchemaPtr schema();
};

}  // namespace thalweg

template <>
struct std::hash<thalweg::Uuid> {
  std::size_t operator()(const thalweg::Uuid& uuid) const noexcept {
    std::uint64_t halves[2];
    __builtin_memcpy(halves, uuid.bytes.data(), sizeof halves);
    return static_cast<std::size_t>(halves[0] ^ (halves[1] * 0x9e3779b97f4a7c15ULL));
  }
};
