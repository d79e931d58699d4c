#include "embedded/log_batch.h"

#include <algorithm>
#include <utility>

#include <lz4.h>

#include <thalweg/schemas/check.h>
#include <thalweg/schemas/internal/crc32c.h>

#include "embedded/coding.h"

namespace thalweg::internal {

namespace {

constexpr std::uint8_t kFormat = 1;
enum Codec : std::uint8_t { kPlain = 0, kLz4 = 1 };

constexpr std::size_t kBaseAt = 4;
constexpr std::size_t kCrcAt = 12;
constexpr std::size_t kCheckedAt = 16;
constexpr std::size_t kHeaderBytes = 56;
constexpr std::size_t kCompressBytesMin = 512;
constexpr std::size_t kBodyBytesMax = std::size_t{1} << 30;

void write_header(const LogBatch& batch, Codec codec, std::size_t stored_bytes, char* at) {
  at[0] = static_cast<char>(kFormat);
  at[1] = static_cast<char>(codec);
  write_little_endian<std::uint16_t>(at + 2, 0);
  write_little_endian<std::int64_t>(at + kBaseAt, 0);
  write_little_endian(at + 16, batch.span);
  write_little_endian(at + 20, batch.count);
  write_little_endian(at + 24, batch.first_timestamp);
  write_little_endian(at + 32, batch.max_timestamp);
  write_little_endian(at + 40, static_cast<std::uint32_t>(stored_bytes));
  write_little_endian(at + 44, batch.delete_horizon);
  write_little_endian(at + 52, static_cast<std::uint32_t>(batch.body.size()));
}

}  // namespace

bool LogBatchReader::read_optional(std::optional<BytesView>& bytes) {
  std::uint64_t size = 0;
  if (!read_varint(at_, end_, size)) return false;
  if (size == 0) {
    bytes.reset();
    return true;
  }
  if (size - 1 > static_cast<std::uint64_t>(end_ - at_)) return false;
  bytes.emplace(at_, size - 1);
  at_ += size - 1;
  return true;
}

bool LogBatchReader::next(RecordView& record) {
  if (left_ == 0) return false;
  std::uint64_t delta = 0;
  std::uint64_t timestamp = 0;
  std::uint64_t header_bytes = 0;
  if (!read_varint(at_, end_, delta) || !read_varint(at_, end_, timestamp) ||
      !read_optional(record.key) || !read_optional(record.value) ||
      !read_varint(at_, end_, header_bytes) ||
      header_bytes > static_cast<std::uint64_t>(end_ - at_)) {
    intact_ = false;
    left_ = 0;
    return false;
  }
  record.offset = batch_->base + static_cast<Offset>(delta);
  record.timestamp = from_millis(batch_->first_timestamp + unzigzag(timestamp));
  record.headers = BytesView(at_, header_bytes);
  at_ += header_bytes;
  --left_;
  return true;
}

void LogBatchBuilder::add(std::int32_t delta, std::optional<BytesView> key,
                          std::optional<BytesView> value, Timestamp timestamp, BytesView headers) {
  const std::int64_t millis = to_millis(timestamp);
  if (batch_.count == 0) {
    batch_.first_timestamp = millis;
    if (batch_.body.capacity() < usual_bytes_) batch_.body.reserve(usual_bytes_);
  }
  char numbers[30];
  char* at = write_varint(numbers, static_cast<std::uint64_t>(delta));
  at = write_varint(at, zigzag(millis - batch_.first_timestamp));
  at = write_varint(at, key ? key->size() + 1 : 0);
  std::string& body = batch_.body;
  body.append(numbers, at);
  if (key) body.append(*key);
  at = write_varint(numbers, value ? value->size() + 1 : 0);
  body.append(numbers, at);
  if (value) body.append(*value);
  at = write_varint(numbers, headers.size());
  body.append(numbers, at);
  body.append(headers);
  batch_.max_timestamp = std::max(batch_.max_timestamp, millis);
  batch_.span = delta + 1;
  ++batch_.count;
}

std::shared_ptr<LogBatch> LogBatchBuilder::take() {
  usual_bytes_ = batch_.body.size();
  return std::make_shared<LogBatch>(std::exchange(batch_, LogBatch{}));
}

void LogBatchBuilder::clear() { batch_ = LogBatch{}; }

void encode_batch(const LogBatch& batch, bool compress, std::string& out) {
  const std::string& body = batch.body;
  THALWEG_CHECK(body.size() <= kBodyBytesMax, "a batch is larger than its format allows");
  Codec codec = kPlain;
  std::size_t stored_bytes = body.size();
  out.clear();
  if (compress && body.size() > kCompressBytesMin) {
    // Worth it only when an eighth is saved: less does not pay for reading it back.
    const auto room = static_cast<int>(body.size() - body.size() / 8);
    out.resize(kHeaderBytes + static_cast<std::size_t>(room));
    const int size = LZ4_compress_default(body.data(), out.data() + kHeaderBytes,
                                          static_cast<int>(body.size()), room);
    if (size > 0) {
      codec = kLz4;
      stored_bytes = static_cast<std::size_t>(size);
      out.resize(kHeaderBytes + stored_bytes);
    }
  }
  if (codec == kPlain) {
    out.resize(kHeaderBytes);
    out.append(body);
  }
  write_header(batch, codec, stored_bytes, out.data());
  write_little_endian(out.data() + kCrcAt, crc32c(BytesView(out).substr(kCheckedAt)));
}

void patch_base_offset(std::string& stored, Offset base) {
  write_little_endian(stored.data() + kBaseAt, base);
}

Result<LogBatch> decode_batch_header(BytesView stored, Offset base) {
  if (stored.size() < kHeaderBytes) {
    return failure(ErrorCode::kCorrupt, "a stored batch is cut short");
  }
  const char* at = stored.data();
  if (static_cast<std::uint8_t>(at[0]) != kFormat) {
    return failure(ErrorCode::kCorrupt, "a stored batch has the unknown format " +
                                            std::to_string(static_cast<std::uint8_t>(at[0])));
  }
  if (read_little_endian<std::int64_t>(at + kBaseAt) != base ||
      read_little_endian<std::uint16_t>(at + 2) != 0) {
    return failure(ErrorCode::kCorrupt, "a stored batch is not the one its key names");
  }
  LogBatch batch;
  batch.base = base;
  batch.span = read_little_endian<std::int32_t>(at + 16);
  batch.count = read_little_endian<std::uint32_t>(at + 20);
  batch.first_timestamp = read_little_endian<std::int64_t>(at + 24);
  batch.max_timestamp = read_little_endian<std::int64_t>(at + 32);
  batch.delete_horizon = read_little_endian<std::int64_t>(at + 44);
  if (batch.span <= 0) return failure(ErrorCode::kCorrupt, "a stored batch spans no offsets");
  return batch;
}

Result<std::shared_ptr<LogBatch>> decode_batch(BytesView stored, Offset base) {
  auto header = decode_batch_header(stored, base);
  if (!header) return std::unexpected(header.error());
  const char* at = stored.data();
  if (read_little_endian<std::uint32_t>(at + kCrcAt) != crc32c(stored.substr(kCheckedAt))) {
    return failure(ErrorCode::kCorrupt, "a stored batch fails its checksum");
  }
  const BytesView packed = stored.substr(kHeaderBytes);
  const auto body_bytes = read_little_endian<std::uint32_t>(at + 52);
  if (packed.size() != read_little_endian<std::uint32_t>(at + 40) || body_bytes > kBodyBytesMax) {
    return failure(ErrorCode::kCorrupt, "a stored batch has not the size it names");
  }
  auto batch = std::make_shared<LogBatch>(*std::move(header));
  switch (static_cast<std::uint8_t>(at[1])) {
    case kPlain:
      if (packed.size() != body_bytes) {
        return failure(ErrorCode::kCorrupt, "a stored batch has not the size it names");
      }
      batch->body = packed;
      break;
    case kLz4:
      batch->body.resize(body_bytes);
      if (LZ4_decompress_safe(packed.data(), batch->body.data(), static_cast<int>(packed.size()),
                              static_cast<int>(body_bytes)) != static_cast<int>(body_bytes)) {
        return failure(ErrorCode::kCorrupt, "a stored batch does not decompress");
      }
      break;
    default:
      return failure(ErrorCode::kCorrupt, "a stored batch has an unknown codec");
  }
  return batch;
}

}  // namespace thalweg::internal
