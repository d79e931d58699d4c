#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <thalweg/schemas/bytes.h>
#include <thalweg/schemas/error.h>

namespace thalweg::internal {

using SegmentId = std::uint32_t;

/// A place in the journal. Segments follow one another by number.
struct JournalPosition {
  SegmentId segment = 0;  ///< 0: before the first.
  std::uint32_t offset = 0;

  friend auto operator<=>(const JournalPosition&, const JournalPosition&) = default;
};

/// One file of the journal: a header, then frames (journal_frame.h). Any thread may read what has
/// been written; who writes takes turns.
///
///   0  7 bytes "THWJRNL"      12  u32  where the segment before it ends
///   7  its format, a digit    16  u32  CRC-32C of all before
///   8  u32  its number
class JournalSegment {
 public:
  static constexpr std::uint32_t kHeaderBytes = 20;
  static constexpr int kFormat = 2;

  static Result<std::shared_ptr<JournalSegment>> create(const std::string& directory, SegmentId id,
                                                        std::uint32_t previous_end);
  /// kNotFound: there is no such file. kCorrupt: it has no whole header. Any other error says
  /// nothing about the file.
  static Result<std::shared_ptr<JournalSegment>> open(const std::string& directory, SegmentId id);
  /// The format of the segment, this one or another; 0 when it has no whole header.
  static Result<int> format_of(const std::string& directory, SegmentId id);
  /// Opens it whatever its header is.
  static Result<std::shared_ptr<JournalSegment>> open_unread(const std::string& directory,
                                                             SegmentId id);
  static std::string path_of(const std::string& directory, SegmentId id);
  /// The number in a file's name; 0 for a file that is no segment.
  static SegmentId id_of(const std::string& file_name);

  ~JournalSegment();
  JournalSegment(const JournalSegment&) = delete;
  JournalSegment& operator=(const JournalSegment&) = delete;

  SegmentId id() const { return id_; }
  const std::string& path() const { return path_; }
  std::uint32_t previous_end() const { return previous_end_; }
  Result<std::uint64_t> size() const;

  Status write(std::uint64_t at, BytesView bytes);
  /// Exactly so many bytes; kCorrupt when the file has fewer.
  Status read(std::uint64_t at, std::size_t bytes, std::string& out) const;
  Status sync();
  Status truncate(std::uint64_t size);

 private:
  JournalSegment(std::string path, SegmentId id, int descriptor)
      : path_(std::move(path)), id_(id), descriptor_(descriptor) {}
  Status read_header();

  const std::string path_;
  const SegmentId id_;
  const int descriptor_;
  std::uint32_t previous_end_ = 0;
};

}  // namespace thalweg::internal
