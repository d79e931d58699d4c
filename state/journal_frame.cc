#include "journal_frame.h"

#include <thalweg/schemas/internal/crc32c.h>

#include "big_endian.h"

namespace thalweg::internal {

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

void finish_frame(std::size_t frame_at, std::string& out) {
  const BytesView operations = BytesView(out).substr(frame_at + kFrameHeaderBytes);
  write_big_endian(static_cast<std::uint32_t>(operations.size()), out.data() + frame_at);
  write_big_endian(crc32c(operations), out.data() + frame_at + 4);
}

bool FrameReader::next() {
  const BytesView rest = bytes_.substr(end_);
  if (rest.size() < kFrameHeaderBytes) return false;
  const auto size = read_big_endian<std::uint32_t>(rest);
  // A file that grew before its bytes arrived ends in zeros, which are no frame.
  if (size == 0 || rest.size() - kFrameHeaderBytes < size) return false;
  const BytesView operations = rest.substr(kFrameHeaderBytes, size);
  if (crc32c(operations) != read_big_endian<std::uint32_t>(rest.substr(4))) return false;
  begin_ = end_;
  at_ = begin_ + kFrameHeaderBytes;
  end_ = at_ + size;
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
