#pragma once

#include <cstdint>
#include <string>

#include <thalweg/state/storage.h>

namespace thalweg::internal {

// A batch as the journal's segments hold it. Numbers are big-endian.
//
//   frame      u32 bytes of operations | u32 CRC-32C of them | operations
//   operation  u8 kind | u32 key bytes | u32 value bytes | key | value

constexpr std::size_t kFrameHeaderBytes = 8;

/// How long the batch's frame is.
std::size_t frame_bytes(const WriteBatch& batch);

/// Appends the batch's frame and tells each operation where its value begins, counted from where
/// the frame begins: `visit(operation, value_at)`.
template <typename Visit>
void append_frame(const WriteBatch& batch, std::string& out, Visit&& visit);

/// One operation of a frame; the views are into it.
struct FrameOperation {
  WriteBatch::Operation::Kind kind;
  BytesView key;
  BytesView value;
  std::size_t value_at = 0;  ///< From where the frame begins.
};

/// Walks the frames in the bytes of a segment, as far as they are whole.
class FrameReader {
 public:
  explicit FrameReader(BytesView bytes) : bytes_(bytes) {}

  /// To the next frame. False: what follows is no whole frame.
  bool next();
  std::size_t begin() const { return begin_; }  ///< Where the frame begins.
  std::size_t end() const { return end_; }      ///< Where it ends.
  /// The next operation of the frame; false at its end.
  bool operation(FrameOperation& into);

 private:
  BytesView bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t at_ = 0;
};

// Details.

constexpr std::size_t kOperationHeaderBytes = 9;

void begin_operation(const WriteBatch::Operation& operation, std::string& out);
void finish_frame(std::size_t frame_at, std::string& out);

template <typename Visit>
void append_frame(const WriteBatch& batch, std::string& out, Visit&& visit) {
  const std::size_t frame_at = out.size();
  out.append(kFrameHeaderBytes, '\0');
  for (const auto& operation : batch.operations()) {
    begin_operation(operation, out);
    visit(operation, out.size() - frame_at);
    out.append(operation.value);
  }
  finish_frame(frame_at, out);
}

}  // namespace thalweg::internal
