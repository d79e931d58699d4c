#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <thalweg/schemas/error.h>
#include <thalweg/schemas/record.h>
#include <thalweg/state/state_store.h>

namespace thalweg::internal {

/// Consecutive records of one partition as the embedded log keeps them: shared by the tail in
/// memory and all readers, never changed once published.
struct LogBatch {
  Offset base = 0;
  std::int32_t span =
      0;  ///< Offsets it stands for, from `base` on: more than it has records once compacted.
  std::uint32_t count = 0;  ///< Records in `body`.
  std::int64_t first_timestamp = 0;
  std::int64_t max_timestamp = -1;  ///< For retention: when it was written, if no record says.
  /// When its tombstones may go; 0: not compacted yet, or none in it.
  std::int64_t delete_horizon = 0;
  CommitSequence commit = 0;  ///< Not stored: what was read back is durable.
  std::string body;

  Offset end() const { return base + span; }
};

/// Walks the records of a batch, which must outlive it.
class LogBatchReader {
 public:
  LogBatchReader() = default;
  explicit LogBatchReader(const LogBatch& batch)
      : batch_(&batch), at_(batch.body.data()), end_(at_ + batch.body.size()), left_(batch.count) {}

  /// False at the end, and for bytes that are no record (then intact() is false).
  bool next(RecordView& record);
  bool intact() const { return intact_; }
  bool done() const { return left_ == 0; }

 private:
  bool read_optional(std::optional<BytesView>& bytes);

  const LogBatch* batch_ = nullptr;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::uint32_t left_ = 0;
  bool intact_ = true;
};

/// Fills a batch record by record.
class LogBatchBuilder {
 public:
  /// Adds a record at `base + delta`; deltas ascend.
  void add(std::int32_t delta, std::optional<BytesView> key, std::optional<BytesView> value,
           Timestamp timestamp, BytesView headers);
  /// Adds a record at the next offset.
  void add(std::optional<BytesView> key, std::optional<BytesView> value, Timestamp timestamp,
           BytesView headers) {
    add(batch_.span, key, value, timestamp, headers);
  }
  bool empty() const { return batch_.count == 0; }
  std::uint32_t count() const { return batch_.count; }
  std::int32_t span() const { return batch_.span; }
  std::size_t bytes() const { return batch_.body.size(); }
  /// Hands out the batch and starts another.
  std::shared_ptr<LogBatch> take();
  void clear();

 private:
  LogBatch batch_;
  std::size_t usual_bytes_ = 0;
};

// The stored form of a batch (format 1). All numbers are little-endian.
//
//   0  u8   format           16  i32  span             44  i64  delete horizon
//   1  u8   codec            20  u32  records          52  u32  body bytes, uncompressed
//   2  u16  zero             24  i64  first timestamp  56  body, compressed by the codec
//   4  i64  base offset      32  i64  max timestamp
//  12  u32  CRC-32C          40  u32  body bytes, stored
//
// The checksum covers everything from 16 on. Format, codec and base offset are outside, because the
// base is only known under the lock; it must equal the one in the key.

/// Writes the stored form, with a base offset of 0. `compress` asks for LZ4, which is used if it
/// pays.
void encode_batch(const LogBatch& batch, bool compress, std::string& out);
void patch_base_offset(std::string& stored, Offset base);
/// Reads a stored batch. kCorrupt when it is not what encode_batch() wrote for `base`.
Result<std::shared_ptr<LogBatch>> decode_batch(BytesView stored, Offset base);
/// The same without the body, and without checking it: what start-up and retention need.
Result<LogBatch> decode_batch_header(BytesView stored, Offset base);

}  // namespace thalweg::internal
