#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "free_space.h"
#include "journal_index.h"
#include "journal_segment.h"

namespace thalweg::internal {

/// The journal on files of its own: every batch becomes a frame in the newest segment, and that is
/// the only time its values are written. An index (journal_index.h) says where they are.
///
///   append()   frame -> memory, places -> index
///   sync()     memory -> file -> disk; now and then the index too
///   reclaim()  moves what little is left in old segments to the newest one and removes them
///
/// A disk is full when less is free than the reserve (free_space.h). Then only batches that remove
/// something, or put no more than small values, are taken, and moves are made in small steps.
///
/// A segment that was written once is never changed, so reads need no lock but for what is still in
/// memory. What a failed sync() had in hand is kept and written again, at the same places, by the
/// next one.
class DiskJournal final : public Journal {
 public:
  struct Options {
    std::uint32_t segment_bytes = 0;
    std::uint64_t replay_bytes = 0;  ///< What an opening applies again at most, about.
  };

  /// Opens the journal in the directory `path`, or makes it. kCorrupt: files are missing, damaged
  /// or shorter than they once were, or the index is damaged. Whatever the error is, nothing of the
  /// journal is removed then.
  static Result<std::unique_ptr<DiskJournal>> open(const std::string& path,
                                                   const std::shared_ptr<rocksdb::Cache>& cache,
                                                   Options options);
  ~DiskJournal() override;

  Status append(const WriteBatch& batch) override;
  Status sync() override;
  Status reclaim() override;
  Result<bool> get(BytesView key, std::string& value) const override;
  std::unique_ptr<StorageCursor> scan(BytesView from, BytesView to) const override;

 private:
  class Cursor;
  using Segments = std::map<SegmentId, std::shared_ptr<JournalSegment>>;

  /// Frames on their way to a segment's file.
  struct Unwritten {
    std::shared_ptr<JournalSegment> segment;
    std::uint32_t at = 0;
    std::string bytes;
  };
  /// A value that reclaim() carries to the newest segment.
  struct Move {
    std::string key;
    std::string entry;  ///< In the index, as it was when the value was read.
    std::string value;
  };

  /// Segments of which less than half is still wanted, by number.
  struct Sparse {
    std::vector<SegmentId> dead;                ///< Nothing of them is.
    std::map<SegmentId, std::uint64_t> wanted;  ///< Bytes.
  };

  DiskJournal(std::string path, Options options);

  // disk_journal_recovery.cc
  Status recover(const std::shared_ptr<rocksdb::Cache>& cache);
  Status open_saved(const std::vector<IndexedSegment>& saved, std::vector<SegmentId>& files);
  Status replay(const std::vector<SegmentId>& files);
  Result<std::shared_ptr<JournalSegment>> next_segment(SegmentId id) const;
  Status replay_segment(JournalSegment& segment);
  Status apply_frames(BytesView bytes, std::uint32_t& whole);
  Status settle(JournalSegment& segment);
  Status discard(SegmentId from, const std::vector<SegmentId>& files);
  Result<bool> outlives_a_crash(SegmentId id) const;
  Status damaged_before(SegmentId next, SegmentId whole) const;

  // disk_journal.cc, with appending_ held.
  Status append_locked(const WriteBatch& batch, SpaceFor use);
  Status begin_segment();
  Status check_room(std::size_t bytes, SpaceFor use);
  Unwritten& tail();
  std::uint32_t durable_in(SegmentId segment) const;
  void index_put(BytesView key, BytesView value, std::uint32_t offset);
  void take_unwritten();
  void all_is_written();
  std::vector<IndexedSegment> indexed_segments() const;

  // With syncing_ held.
  Status write_and_sync();
  Status save_index();

  // Reading.
  std::shared_ptr<const Segments> segments() const;
  void set_segments(std::shared_ptr<const Segments> segments);
  Status read(const Segments& segments, const ValuePlace& place, std::string& value) const;
  bool read_unwritten(const ValuePlace& place, std::string& value) const;

  // disk_journal_reclaim.cc
  bool worth_reclaiming(const Segments& segments) const;
  Result<Sparse> sparse_segments() const;
  std::vector<SegmentId> segments_to_empty(const Sparse& sparse) const;
  Status move_values(const std::vector<SegmentId>& from);
  Status move(std::vector<Move>& moves);
  Status retire(const std::vector<SegmentId>& sparse);
  bool remove_retired();

  const std::string path_;
  const std::string directory_;  // Of the segments.
  const Options options_;
  std::unique_ptr<JournalIndex> index_;

  mutable std::mutex segments_mutex_;  // Guards the pointer.
  std::shared_ptr<const Segments> segments_ = std::make_shared<const Segments>();
  std::atomic<JournalPosition> written_;  // Before it, files have it all, durably.

  std::mutex reclaiming_;  // One at a time; taken before the others.

  std::mutex syncing_;                 // One at a time; taken before appending_.
  bool directory_is_dirty_ = false;    // Has files that it may forget.
  std::vector<std::string> retiring_;  // Files that the index does without, once it is saved.
  std::vector<std::string> retired_;   // The same, once what was begun to be saved is.

  mutable std::mutex appending_;             // Guards what follows, and the order of appends.
  std::map<SegmentId, std::uint32_t> ends_;  // Of all segments but the newest.
  JournalPosition end_;
  std::deque<Unwritten> unwritten_;
  std::deque<Unwritten> writing_;  // Its bytes do not change while they are here.
  std::string spare_;              // Memory for the next Unwritten.
  bool new_files_ = false;         // Since the directory was synced.
  std::optional<Error> failure_;   // Of the last sync.
  JournalIndex::Changes changes_;
  std::uint64_t appended_bytes_ = 0;
  std::uint64_t reclaimed_at_bytes_ = 0;  // appended_bytes_ at the last pass.
  std::uint64_t unsaved_bytes_ = 0;
  std::uint64_t unsaved_changes_ = 0;
  std::size_t unchecked_bytes_ = 0;
};

}  // namespace thalweg::internal
