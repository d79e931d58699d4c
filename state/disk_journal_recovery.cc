// How a journal is opened: what its index had taken in must be there; what came after it is applied
// again, as far as it is whole.

#include <algorithm>
#include <filesystem>

#include "directory_lock.h"
#include "disk_journal.h"
#include "journal_frame.h"

namespace thalweg::internal {
namespace {

namespace fs = std::filesystem;

Result<std::vector<SegmentId>> segment_files(const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  std::vector<SegmentId> ids;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (const auto id = JournalSegment::id_of(at->path().filename().string())) ids.push_back(id);
  }
  if (error) return failure(ErrorCode::kIo, "cannot list " + directory + ": " + error.message());
  std::ranges::sort(ids);
  return ids;
}

Status remove_file(const std::string& path) {
  std::error_code error;
  fs::remove(path, error);
  if (!error) return {};
  return failure(ErrorCode::kIo, "cannot remove " + path + ": " + error.message());
}

/// Before anything is made of them. All segments of a journal have one format.
Status check_format(const std::string& directory, const std::vector<SegmentId>& files) {
  for (const SegmentId id : files) {
    const auto format = JournalSegment::format_of(directory, id);
    if (!format) return std::unexpected(format.error());
    if (*format == JournalSegment::kFormat) return {};
    if (*format == 0) continue;  // What that means is seen later.
    return failure(ErrorCode::kCorrupt, JournalSegment::path_of(directory, id) + " has format " +
                                            std::to_string(*format) +
                                            ", and this program reads format " +
                                            std::to_string(JournalSegment::kFormat));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<DiskJournal>> DiskJournal::open(const std::string& path,
                                                       const std::shared_ptr<rocksdb::Cache>& cache,
                                                       Options options) {
  std::unique_ptr<DiskJournal> journal(new DiskJournal(path, options));
  if (auto status = journal->recover(cache); !status) {
    journal->index_.reset();  // Nothing may be written by what was not understood.
    return std::unexpected(status.error());
  }
  return journal;
}

Status DiskJournal::recover(const std::shared_ptr<rocksdb::Cache>& cache) {
  if (fs::exists(path_ + "/CURRENT")) {
    return failure(ErrorCode::kCorrupt, "the log in " + path_ +
                                            " was written by an earlier version, which kept it in "
                                            "RocksDB; this one cannot read it");
  }
  auto files = segment_files(directory_);
  if (!files) return std::unexpected(files.error());
  if (auto status = check_format(directory_, *files); !status) return status;
  auto index = JournalIndex::open(path_ + "/index", cache);
  if (!index) return std::unexpected(index.error());
  index_ = std::move(*index);
  const auto saved = index_->saved();
  if (!saved) return std::unexpected(saved.error());
  if (auto status = open_saved(*saved, *files); !status) return status;
  if (auto status = replay(*files); !status) return status;
  if (end_.segment == 0) {
    if (auto status = begin_segment(); !status) return status;
    if (auto status = segments()->at(end_.segment)->sync(); !status) return status;
  }
  written_ = end_;
  if (auto status = sync_directory(directory_); !status) return status;
  return sync_directory(path_);
}

/// Opens what the index on disk stands for and leaves in `files` what comes after it.
Status DiskJournal::open_saved(const std::vector<IndexedSegment>& saved,
                               std::vector<SegmentId>& files) {
  if (saved.empty()) {
    if (files.empty() || files.front() == 1) return {};
    return failure(ErrorCode::kCorrupt, "the journal " + path_ + " begins with segment " +
                                            std::to_string(files.front()) +
                                            " and has no index of those before it");
  }
  auto opened = std::make_shared<Segments>();
  for (const auto& [id, end] : saved) {
    auto segment = JournalSegment::open(directory_, id);
    if (!segment) {
      const ErrorCode code = segment.error().code;
      return failure(code == ErrorCode::kNotFound ? ErrorCode::kCorrupt : code,
                     "the journal " + path_ + " is not whole: " + segment.error().message);
    }
    const auto size = (*segment)->size();
    if (!size) return std::unexpected(size.error());
    if (*size < end) {
      return failure(ErrorCode::kCorrupt, (*segment)->path() + " has " + std::to_string(*size) +
                                              " bytes of " + std::to_string(end) +
                                              " that it had; the journal is damaged");
    }
    opened->emplace(id, *std::move(segment));
    ends_[id] = end;
  }
  end_ = {saved.back().id, saved.back().end};
  ends_.erase(end_.segment);
  set_segments(std::move(opened));
  // Files that the index does without were on their way out.
  for (const SegmentId id : files) {
    if (id > end_.segment || segments()->contains(id)) continue;
    if (auto status = remove_file(JournalSegment::path_of(directory_, id)); !status) return status;
  }
  std::erase_if(files, [this](SegmentId id) { return id <= end_.segment; });
  return {};
}

/// Applies the frames that follow end_, in its segment and in `files`, up to the first that is not
/// whole. What is behind that was never synced, as far as can be told: it goes.
Status DiskJournal::replay(const std::vector<SegmentId>& files) {
  if (end_.segment != 0) {
    if (auto status = replay_segment(*segments()->at(end_.segment)); !status) return status;
  }
  for (const SegmentId id : files) {
    auto segment = next_segment(id);
    if (!segment) return std::unexpected(segment.error());
    if (!*segment) return discard(id, files);
    if (end_.segment != 0) {
      if (auto status = settle(*segments()->at(end_.segment)); !status) return status;
      ends_[end_.segment] = end_.offset;
    }
    auto more = std::make_shared<Segments>(*segments());
    more->emplace(id, *segment);
    set_segments(std::move(more));
    end_ = {id, JournalSegment::kHeaderBytes};
    if (auto status = replay_segment(**segment); !status) return status;
  }
  return end_.segment == 0 ? Status{} : settle(*segments()->at(end_.segment));
}

/// The segment of that number, or null if it does not go on where end_ is.
Result<std::shared_ptr<JournalSegment>> DiskJournal::next_segment(SegmentId id) const {
  if (id != end_.segment + 1) return nullptr;
  auto segment = JournalSegment::open(directory_, id);
  // Only the file itself can say that it is no part of the journal, not a system that refuses it.
  if (!segment && segment.error().code == ErrorCode::kCorrupt) return nullptr;
  const bool follows = !segment || end_.segment == 0 || (*segment)->previous_end() == end_.offset;
  return follows ? segment : nullptr;
}

/// Takes in the segment's frames from end_ on, as far as they are whole, and leaves the file alone.
/// kCorrupt: it is known to have been durable beyond that.
///
/// Whole frames behind one that is not do not suffice for that: a crash leaves any part of what was
/// not synced. It is what they say that counts.
Status DiskJournal::replay_segment(JournalSegment& segment) {
  const auto size = segment.size();
  if (!size) return std::unexpected(size.error());
  if (*size <= end_.offset) return {};
  std::string bytes;
  if (auto status = segment.read(end_.offset, *size - end_.offset, bytes); !status) return status;
  std::uint32_t whole = 0;
  if (auto status = apply_frames(bytes, whole); !status) return status;
  end_.offset += whole;
  unsaved_bytes_ += whole;
  const auto durable = durable_by_frames(BytesView(bytes).substr(whole), end_);
  if (durable.value_or(0) <= end_.offset) return {};
  return failure(ErrorCode::kCorrupt,
                 segment.path() + " is damaged at byte " + std::to_string(end_.offset) +
                     "; it had been synced up to byte " + std::to_string(*durable));
}

/// Cuts off what is behind end_ and makes the rest last: a process that was killed may not have
/// synced what the system still had for it.
Status DiskJournal::settle(JournalSegment& segment) {
  const auto size = segment.size();
  if (!size) return std::unexpected(size.error());
  if (*size > end_.offset) {
    if (auto status = segment.truncate(end_.offset); !status) return status;
  }
  return segment.sync();
}

Status DiskJournal::apply_frames(BytesView bytes, std::uint32_t& whole) {
  FrameReader frames(bytes, end_);
  while (frames.next()) {
    changes_.clear();
    for (FrameOperation operation; frames.operation(operation);) {
      switch (operation.kind) {
        case WriteBatch::Operation::Kind::kPut:
          index_put(operation.key, operation.value,
                    end_.offset + static_cast<std::uint32_t>(frames.begin() + operation.value_at));
          break;
        case WriteBatch::Operation::Kind::kRemove:
          changes_.remove(operation.key);
          break;
        case WriteBatch::Operation::Kind::kRemoveRange:
          if (auto status = index_->remove_range(operation.key, operation.value, changes_);
              !status) {
            return status;
          }
          break;
      }
    }
    if (auto status = index_->apply(changes_); !status) return status;
    unsaved_changes_ += changes_.count();
  }
  whole = static_cast<std::uint32_t>(frames.end());
  return {};
}

/// Removes the segments from `from` on, which end_ does not lead to. Where one holds what no crash
/// leaves behind such a place, something else has damaged what lies between; then nothing is
/// touched.
Status DiskJournal::discard(SegmentId from, const std::vector<SegmentId>& files) {
  const auto first = std::ranges::lower_bound(files, from);
  for (auto id = first; id != files.end(); ++id) {
    const auto outlives = outlives_a_crash(*id);
    if (!outlives) return std::unexpected(outlives.error());
    if (*outlives) return damaged_before(from, *id);
  }
  for (auto id = first; id != files.end(); ++id) {
    if (auto status = remove_file(JournalSegment::path_of(directory_, *id)); !status) return status;
  }
  return end_.segment == 0 ? Status{} : settle(*segments()->at(end_.segment));
}

/// A crash leaves segments behind end_ without a frame: the first is only written when all before
/// its segment has been synced. But of the segment that follows end_ a crash may leave frames
/// without the header, unless that was synced before them, or shares its sector with them.
Result<bool> DiskJournal::outlives_a_crash(SegmentId id) const {
  const auto segment = JournalSegment::open_unread(directory_, id);
  if (!segment) return std::unexpected(segment.error());
  const auto size = (*segment)->size();
  if (!size) return std::unexpected(size.error());
  constexpr std::uint64_t kBegin = JournalSegment::kHeaderBytes;
  if (*size <= kBegin) return false;
  std::string bytes;
  if (auto status = (*segment)->read(kBegin, *size - kBegin, bytes); !status) {
    return std::unexpected(status.error());
  }
  const JournalPosition begin{id, JournalSegment::kHeaderBytes};
  const auto durable = durable_by_frames(bytes, begin);
  if (!durable || id != end_.segment + 1) return durable.has_value();
  const auto format = JournalSegment::format_of(directory_, id);
  if (!format) return std::unexpected(format.error());
  const auto first = BytesView(bytes).substr(0, kFrameHeaderBytes);
  return *format != 0 || *durable > 0 || durable_by_frames(first, begin).has_value();
}

/// `next` should have followed end_, and `whole`, which is as new or newer, holds a frame.
Status DiskJournal::damaged_before(SegmentId next, SegmentId whole) const {
  const auto path = [this](SegmentId id) { return JournalSegment::path_of(directory_, id); };
  const std::string behind = ", and " + path(whole) + " holds what was written later";
  if (next != end_.segment + 1) {
    return failure(ErrorCode::kCorrupt, path(end_.segment + 1) + " is missing" + behind);
  }
  const auto opened = JournalSegment::open(directory_, next);
  if (!opened) return failure(opened.error().code, opened.error().message + behind);
  return failure(ErrorCode::kCorrupt, path(end_.segment) + " is damaged at byte " +
                                          std::to_string(end_.offset) + behind);
}

}  // namespace thalweg::internal
