#include "journal_frame.h"

#include <algorithm>

#include <thalweg/schemas/internal/crc32c.h>

#include "big_endian.h"

namespace thalweg::internal {
namespace {

struct FrameHeader {
  std::uint32_t bytes = 0;
  std::uint32_t durable = 0;
  std::uint32_t checksum = 0;  // Of the operations.
};

constexpr std::size_t kCheckedBytes = kFrameHeaderBytes - sizeof(std::uint32_t);

/// Of a header's first bytes in this place: a frame that is a part of a value, or that was written
/// to another segment, is none here.
std::uint32_t header_checksum(BytesView header, JournalPosition at) {
  char checked[8 + kCheckedBytes];
  write_big_endian(at.segment, checked);
  write_big_endian(at.offset, checked + 4);
  header.copy(checked + 8, kCheckedBytes);
  return crc32c({checked, sizeof checked});
}

std::optional<FrameHeader> read_header(BytesView bytes, JournalPosition at) {
  if (bytes.size() < kFrameHeaderBytes) return std::nullopt;
  const auto field = [bytes](std::size_t i) {
    return read_big_endian<std::uint32_t>(bytes.substr(i));
  };
  // A file that grew before its bytes arrived ends in zeros, which are no frame.
  if (field(0) == 0 || field(4) > at.offset) return std::nullopt;
  if (header_checksum(bytes, at) != field(kCheckedBytes)) return std::nullopt;
  return FrameHeader{.bytes = field(0), .durable = field(4), .checksum = field(8)};
}

}  // namespace

std::size_t frame_bytes(const WriteBatch& batch) {
  return kFrameHeaderBytes + kOperationHeaderBytes * batch.operations().size() + batch.bytes();
}

void begin_operation(const WriteBatch::Operation& operation, std::string& out) {
  char header[kOperationHeaderBytes];
  header[0] = static_cast<char>(operation.kind);
  write_big_endian(static_cast<std::uint32_t>(operation.key.size()), header + 1);
  write_big_endian(static_cast<std::uint32_t>(operation.value.size()), header + 5);
  out.append(header, sizeof header);
  out.append(operation.key);
}

void finish_frame(std::size_t frame_at, JournalPosition at, std::uint32_t durable,
                  std::string& out) {
  const BytesView operations = BytesView(out).substr(frame_at + kFrameHeaderBytes);
  char* header = out.data() + frame_at;
  write_big_endian(static_cast<std::uint32_t>(operations.size()), header);
  write_big_endian(durable, header + 4);
  write_big_endian(crc32c(operations), header + 8);
  write_big_endian(header_checksum({header, kCheckedBytes}, at), header + kCheckedBytes);
}

void set_durable(JournalPosition at, std::uint32_t durable, std::string& frames) {
  char* header = frames.data();
  write_big_endian(durable, header + 4);
  write_big_endian(header_checksum({header, kCheckedBytes}, at), header + kCheckedBytes);
}

std::optional<std::uint32_t> durable_by_frames(BytesView bytes, JournalPosition at) {
  std::optional<std::uint32_t> most;
  for (; bytes.size() >= kFrameHeaderBytes; bytes.remove_prefix(1), ++at.offset) {
    if (const auto header = read_header(bytes, at)) {
      most = std::max(most.value_or(0), header->durable);
    }
  }
  return most;
}

bool FrameReader::next() {
  const BytesView rest = bytes_.substr(end_);
  const auto header =
      read_header(rest, {from_.segment, from_.offset + static_cast<std::uint32_t>(end_)});
  if (!header || rest.size() - kFrameHeaderBytes < header->bytes) return false;
  if (crc32c(rest.substr(kFrameHeaderBytes, header->bytes)) != header->checksum) return false;
  begin_ = end_;
  at_ = begin_ + kFrameHeaderBytes;
  end_ = at_ + header->bytes;
  return true;
}

bool FrameReader::operation(FrameOperation& into) {
  if (end_ - at_ < kOperationHeaderBytes) return false;
  const BytesView header = bytes_.substr(at_, kOperationHeaderBytes);
  const auto key_bytes = read_big_endian<std::uint32_t>(header.substr(1));
  const auto value_bytes = read_big_endian<std::uint32_t>(header.substr(5));
  at_ += kOperationHeaderBytes;
  into.kind = static_cast<WriteBatch::Operation::Kind>(header[0]);
  into.key = bytes_.substr(at_, key_bytes);
  at_ += key_bytes;
  into.value_at = at_ - begin_;
  into.value = bytes_.substr(at_, value_bytes);
  at_ += value_bytes;
  return true;
}

}  // namespace thalweg::internal
