#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <thalweg/state/storage.h>

#include "journal_segment.h"

namespace thalweg::internal {

// A batch as the journal's segments hold it. Numbers are big-endian.
//
//   frame      u32 bytes of operations | u32 durable | u32 CRC-32C of the operations |
//              u32 CRC-32C of where the frame is and of the twelve bytes before | operations
//   operation  u8 kind | u32 key bytes | u32 value bytes | key | value
//
// `durable` is a place in the segment: what is before it was synced when the frame was written, so
// that no crash can take it away, and what is not whole there has been damaged. 0: nothing was.

constexpr std::size_t kFrameHeaderBytes = 16;

/// How long the batch's frame is.
std::size_t frame_bytes(const WriteBatch& batch);

/// Appends the frame that the batch has at this place, and tells each operation where its value
/// begins, counted from where the frame begins: `visit(operation, value_at)`.
template <typename Visit>
void append_frame(const WriteBatch& batch, JournalPosition at, std::uint32_t durable,
                  std::string& out, Visit&& visit);

/// Makes the frame at the beginning of `frames`, which is to be written at `at`, tell of this.
void set_durable(JournalPosition at, std::uint32_t durable, std::string& frames);

/// The most that frames in these bytes of a segment tell to be durable, wherever they begin;
/// nothing when there is none. The beginning of a frame is enough. Takes one look at each byte.
std::optional<std::uint32_t> durable_by_frames(BytesView bytes, JournalPosition at);

/// One operation of a frame; the views are into it.
struct FrameOperation {
  WriteBatch::Operation::Kind kind;
  BytesView key;
  BytesView value;
  std::size_t value_at = 0;  ///< From where the frame begins.
};

/// Walks the frames in the bytes that a segment has at `at`, as far as they are whole.
class FrameReader {
 public:
  FrameReader(BytesView bytes, JournalPosition at) : bytes_(bytes), from_(at) {}

  /// To the next frame. False: what follows is no whole frame.
  bool next();
  std::size_t begin() const { return begin_; }  ///< Where the frame begins.
  std::size_t end() const { return end_; }      ///< Where it ends.
  /// The next operation of the frame; false at its end.
  bool operation(FrameOperation& into);

 private:
  BytesView bytes_;
  JournalPosition from_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t at_ = 0;
};

// Details.

constexpr std::size_t kOperationHeaderBytes = 9;

void begin_operation(const WriteBatch::Operation& operation, std::string& out);
void finish_frame(std::size_t frame_at, JournalPosition at, std::uint32_t durable,
                  std::string& out);

template <typename Visit>
void append_frame(const WriteBatch& batch, JournalPosition at, std::uint32_t durable,
                  std::string& out, Visit&& visit) {
  const std::size_t frame_at = out.size();
  out.append(kFrameHeaderBytes, '\0');
  for (const auto& operation : batch.operations()) {
    begin_operation(operation, out);
    visit(operation, out.size() - frame_at);
    out.append(operation.value);
  }
  finish_frame(frame_at, at, durable, out);
}

}  // namespace thalweg::internal
