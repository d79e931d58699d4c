#include <thalweg/schemas/internal/crc32c.h>
#include <thalweg/state/storage.h>

#include "big_endian.h"

namespace thalweg {
namespace {

// Format 2, integers in network order:
//   u8 format | i64 next offset | i64 wall time in ms | i64 stream time in ms | i32 sequence |
//   i32 partitions | u32 size, cluster id | u32 size, changelog | u32 CRC-32C of all before
constexpr char kFormat = 2;

void append_text(const std::string& text, std::string& out) {
  internal::append_big_endian(static_cast<std::uint32_t>(text.size()), out);
  out.append(text);
}

/// Takes fields off the front of checked bytes; `ok` turns false when there are too few.
struct Reader {
  BytesView rest;
  bool ok = true;

  template <std::integral T>
  T integer() {
    if (!ok || rest.size() < sizeof(T)) {
      ok = false;
      return 0;
    }
    const T value = internal::read_big_endian<T>(rest);
    rest.remove_prefix(sizeof(T));
    return value;
  }
  std::string text() {
    const auto size = integer<std::uint32_t>();
    if (!ok || rest.size() < size) {
      ok = false;
      return {};
    }
    std::string value(rest.substr(0, size));
    rest.remove_prefix(size);
    return value;
  }
};

std::unexpected<Error> corrupt(const std::string& what) {
  return failure(ErrorCode::kCorrupt, "checkpoint: " + what);
}

}  // namespace

std::string Checkpoint::encode() const {
  std::string out;
  out.reserve(45 + cluster_id.size() + changelog.size());
  out.push_back(kFormat);
  internal::append_big_endian(next_offset, out);
  internal::append_big_endian(to_millis(wall_time), out);
  internal::append_big_endian(to_millis(stream_time), out);
  internal::append_big_endian(sequence, out);
  internal::append_big_endian(changelog_partitions, out);
  append_text(cluster_id, out);
  append_text(changelog, out);
  internal::append_big_endian(internal::crc32c(out), out);
  return out;
}

Result<Checkpoint> Checkpoint::decode(BytesView bytes) {
  constexpr std::size_t kCrcSize = sizeof(std::uint32_t);
  if (bytes.size() <= kCrcSize) {
    return corrupt("only " + std::to_string(bytes.size()) + " bytes");
  }
  const BytesView fields = bytes.substr(0, bytes.size() - kCrcSize);
  if (internal::crc32c(fields) !=
      internal::read_big_endian<std::uint32_t>(bytes.substr(fields.size()))) {
    return corrupt("checksum does not match");
  }
  if (fields[0] != kFormat) {
    return corrupt("format " + std::to_string(static_cast<unsigned char>(fields[0])) +
                   " is not known to this version");
  }
  Reader reader{fields.substr(1)};
  Checkpoint checkpoint;
  checkpoint.next_offset = reader.integer<Offset>();
  checkpoint.wall_time = from_millis(reader.integer<std::int64_t>());
  checkpoint.stream_time = from_millis(reader.integer<std::int64_t>());
  checkpoint.sequence = reader.integer<std::int32_t>();
  checkpoint.changelog_partitions = reader.integer<std::int32_t>();
  checkpoint.cluster_id = reader.text();
  checkpoint.changelog = reader.text();
  if (!reader.ok || !reader.rest.empty()) return corrupt("fields do not fill its bytes");
  if (checkpoint.next_offset < 0) return corrupt("negative offset");
  return checkpoint;
}

}  // namespace thalweg
