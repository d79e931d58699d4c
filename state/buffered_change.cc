#include "buffered_change.h"

#include <thalweg/schemas/error.h>

#include "big_endian.h"

namespace thalweg::internal {
namespace {

// Integers in network order; a value is an i32 size and its bytes, size -1 for null:
//   i64 timestamp | i64 offset | topic | i32 partition | i32 count of headers, each a key and a
//   value | prior value | old value, or only the size -2 if it is the prior value | new value |
//   i64 time
constexpr std::int32_t kNull = -1;
constexpr std::int32_t kAsPrior = -2;

void append_size(std::size_t size, std::string& out) {
  append_big_endian(static_cast<std::int32_t>(size), out);
}
void append_value(const std::optional<std::string>& value, std::string& out) {
  if (!value) return append_big_endian(kNull, out);
  append_size(value->size(), out);
  out += *value;
}

[[noreturn]] void refuse(const char* what) {
  throw SerdeError(std::string("a buffered change: ") + what);
}

struct Reader {
  BytesView rest;

  template <std::integral T>
  T integer() {
    if (rest.size() < sizeof(T)) refuse("too few bytes");
    const T value = read_big_endian<T>(rest);
    rest.remove_prefix(sizeof(T));
    return value;
  }
  std::string bytes(std::int32_t size) {
    if (size < 0 || static_cast<std::size_t>(size) > rest.size()) refuse("a size out of range");
    std::string value(rest.substr(0, static_cast<std::size_t>(size)));
    rest.remove_prefix(static_cast<std::size_t>(size));
    return value;
  }
  std::optional<std::string> value() {
    const auto size = integer<std::int32_t>();
    if (size == kNull) return std::nullopt;
    return bytes(size);
  }
};

}  // namespace

void encode_change(const ChangeBuffer::Change& change, Timestamp time, std::string& out) {
  const auto& origin = change.origin;
  append_big_endian(to_millis(origin.timestamp), out);
  append_big_endian(origin.offset, out);
  append_value(origin.topic, out);
  append_big_endian(origin.partition, out);
  append_size(origin.headers.size(), out);
  for (const Header& header : origin.headers) {
    append_value(header.key, out);
    append_value(header.value, out);
  }
  append_value(change.prior, out);
  if (change.old_value && change.old_value == change.prior) {
    append_big_endian(kAsPrior, out);
  } else {
    append_value(change.old_value, out);
  }
  append_value(change.new_value, out);
  append_big_endian(to_millis(time), out);
}

std::pair<Timestamp, ChangeBuffer::Change> decode_change(BytesView bytes) {
  Reader reader{bytes};
  ChangeBuffer::Change change;
  auto& origin = change.origin;
  origin.timestamp = from_millis(reader.integer<std::int64_t>());
  origin.offset = reader.integer<std::int64_t>();
  origin.topic = reader.value().value_or("");
  origin.partition = reader.integer<std::int32_t>();
  for (auto count = reader.integer<std::int32_t>(); count > 0; --count) {
    auto key = reader.value();
    if (!key) refuse("a header without a key");
    origin.headers.add(std::move(*key), reader.value());
  }
  change.prior = reader.value();
  const auto old_size = reader.integer<std::int32_t>();
  if (old_size == kAsPrior) {
    change.old_value = change.prior;
  } else if (old_size != kNull) {
    change.old_value = reader.bytes(old_size);
  }
  change.new_value = reader.value();
  const Timestamp time = from_millis(reader.integer<std::int64_t>());
  if (!reader.rest.empty()) refuse("too many bytes");
  return {time, std::move(change)};
}

}  // namespace thalweg::internal
