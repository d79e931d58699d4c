#include "disk_journal.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <thalweg/schemas/internal/crc32c.h>

#include "directory_lock.h"
#include "journal_frame.h"

namespace thalweg::internal {
namespace {

constexpr std::size_t kCheckRoomEvery = 1u << 20;  // Bytes.
constexpr std::size_t kLargestFrame = std::size_t{1} << 30;
constexpr std::uint64_t kReplayChanges = 250'000;
constexpr std::size_t kLargestSpare = std::size_t{16} << 20;

SpaceFor use_of(const WriteBatch& batch) {
  using Operation = WriteBatch::Operation;
  const auto removes = [](const Operation& o) { return o.kind != Operation::Kind::kPut; };
  const auto is_note = [](const Operation& o) {
    return o.value.size() <= JournalIndex::kLargestInline;
  };
  const auto& all = batch.operations();
  return std::ranges::any_of(all, removes) || std::ranges::all_of(all, is_note) ? SpaceFor::kUpkeep
                                                                                : SpaceFor::kData;
}

}  // namespace

DiskJournal::DiskJournal(std::string path, Options options)
    : path_(std::move(path)), directory_(path_ + "/segments"), options_(options) {}

DiskJournal::~DiskJournal() {
  // Nobody is left to be told of a failure; sync() is what promises durability. An index that is
  // not saved is made again from the segments.
  if (!index_ || !sync()) return;
  const std::lock_guard syncing(syncing_);
  if (unsaved_changes_ > 0 && save_index()) static_cast<void>(index_->finish_save());
}

// --- Appending --------------------------------------------------------------------------------

Status DiskJournal::append(const WriteBatch& batch) {
  const SpaceFor use = use_of(batch);
  {
    const std::lock_guard lock(appending_);
    if (auto status = append_locked(batch, use); status || !index_->is_halted()) return status;
  }
  // Only a save lets the index go on.
  if (auto status = sync(); !status) return status;
  const std::lock_guard lock(appending_);
  return append_locked(batch, use);
}

Status DiskJournal::append_locked(const WriteBatch& batch, SpaceFor use) {
  if (batch.empty()) return {};
  if (failure_) {
    if (auto room = check_free_space(path_, 0, SpaceFor::kUpkeep); !room) return room;
    return failure(ErrorCode::kUnavailable,
                   "the journal takes nothing until a sync succeeds: " + failure_->message);
  }
  const std::size_t bytes = frame_bytes(batch);
  if (bytes > kLargestFrame) {
    return failure(ErrorCode::kInvalid, "a batch of " + std::to_string(bytes) +
                                            " bytes is too large for the journal " + path_);
  }
  if (auto room = check_room(bytes, use); !room) return room;
  const bool fits = end_.offset + bytes <= options_.segment_bytes;
  if (!fits && end_.offset > JournalSegment::kHeaderBytes) {
    if (auto status = begin_segment(); !status) return status;
  }
  Unwritten& to = tail();
  const std::size_t frame_at = to.bytes.size();
  changes_.clear();
  Status indexed;
  const auto index_it = [&](const WriteBatch::Operation& operation, std::size_t at) {
    switch (operation.kind) {
      case WriteBatch::Operation::Kind::kPut:
        index_put(operation.key, operation.value, end_.offset + static_cast<std::uint32_t>(at));
        break;
      case WriteBatch::Operation::Kind::kRemove:
        changes_.remove(operation.key);
        break;
      case WriteBatch::Operation::Kind::kRemoveRange:
        if (indexed) indexed = index_->remove_range(operation.key, operation.value, changes_);
        break;
    }
  };
  append_frame(batch, end_, durable_in(end_.segment), to.bytes, index_it);
  if (indexed) indexed = index_->apply(changes_);
  if (!indexed) {
    to.bytes.resize(frame_at);
    return indexed;
  }
  end_.offset += static_cast<std::uint32_t>(bytes);
  appended_bytes_ += bytes;
  unsaved_bytes_ += bytes;
  unsaved_changes_ += changes_.count();
  return {};
}

/// `offset` is where the value is in the newest segment.
void DiskJournal::index_put(BytesView key, BytesView value, std::uint32_t offset) {
  if (value.size() <= JournalIndex::kLargestInline) {
    changes_.put(key, value);
  } else {
    changes_.put(key, ValuePlace{.position = {end_.segment, offset},
                                 .bytes = static_cast<std::uint32_t>(value.size()),
                                 .checksum = crc32c(value)});
  }
}

DiskJournal::Unwritten& DiskJournal::tail() {
  if (unwritten_.empty() || unwritten_.back().segment->id() != end_.segment) {
    unwritten_.push_back({segments()->at(end_.segment), end_.offset, std::exchange(spare_, {})});
  }
  return unwritten_.back();
}

/// How far the segment is durable: what recovery then finds not whole there is damaged.
std::uint32_t DiskJournal::durable_in(SegmentId segment) const {
  const JournalPosition written = written_.load(std::memory_order_relaxed);
  return written.segment == segment ? written.offset : 0;
}

Status DiskJournal::begin_segment() {
  auto made = JournalSegment::create(directory_, end_.segment + 1, end_.offset);
  if (!made) return std::unexpected(made.error());
  auto more = std::make_shared<Segments>(*segments());
  more->emplace((*made)->id(), *made);
  set_segments(std::move(more));
  if (end_.segment != 0) ends_[end_.segment] = end_.offset;
  end_ = {(*made)->id(), JournalSegment::kHeaderBytes};
  new_files_ = true;
  return {};
}

/// Asks the disk now and then, and always while it was full.
Status DiskJournal::check_room(std::size_t bytes, SpaceFor use) {
  unchecked_bytes_ += bytes;
  if (unchecked_bytes_ < kCheckRoomEvery) return {};
  std::uint64_t wanted = bytes;
  for (const auto* frames : {&writing_, &unwritten_}) {
    for (const auto& part : *frames) wanted += part.bytes.size();
  }
  auto room = check_free_space(path_, wanted, use);
  if (room && use == SpaceFor::kData) unchecked_bytes_ = 0;
  return room;
}

// --- Syncing ----------------------------------------------------------------------------------

Status DiskJournal::sync() {
  const std::lock_guard syncing(syncing_);
  bool is_due = false;
  {
    const std::lock_guard lock(appending_);
    if (failure_) {
      if (auto room = check_free_space(path_, 0, SpaceFor::kUpkeep); !room) return room;
    }
    take_unwritten();
    is_due = unsaved_bytes_ >= options_.replay_bytes || unsaved_changes_ >= kReplayChanges ||
             index_->is_halted();
  }
  const auto status = write_and_sync();
  {
    const std::lock_guard lock(appending_);
    if (!status) {
      failure_ = status.error();
      return status;
    }
    all_is_written();
  }
  return is_due ? save_index() : Status{};
}

void DiskJournal::take_unwritten() {
  if (!unwritten_.empty() && !unwritten_.front().bytes.empty()) {
    // Frames that came while a sync was under way do not know that it has succeeded: one does now.
    Unwritten& first = unwritten_.front();
    const SegmentId id = first.segment->id();
    set_durable({id, first.at}, durable_in(id), first.bytes);
  }
  for (auto& unwritten : unwritten_) writing_.push_back(std::move(unwritten));
  unwritten_.clear();
  directory_is_dirty_ |= std::exchange(new_files_, false);
}

/// All of writing_, whatever an earlier attempt did of it.
Status DiskJournal::write_and_sync() {
  // The names of segments last before their frames do, as recovery expects.
  if (directory_is_dirty_) {
    if (auto status = sync_directory(directory_); !status) return status;
    directory_is_dirty_ = false;
  }
  JournalSegment* last = nullptr;
  for (const auto& frames : writing_) {
    // A segment lasts before the next one does, so that what lasts is a prefix.
    if (last != nullptr && last != frames.segment.get()) {
      if (auto status = last->sync(); !status) return status;
    }
    last = frames.segment.get();
    if (auto status = last->write(frames.at, frames.bytes); !status) return status;
  }
  return last == nullptr ? Status{} : last->sync();
}

void DiskJournal::all_is_written() {
  if (!writing_.empty()) {
    const Unwritten& last = writing_.back();
    written_.store({last.segment->id(), last.at + static_cast<std::uint32_t>(last.bytes.size())},
                   std::memory_order_release);
    spare_ = std::move(writing_.back().bytes);
    spare_.clear();
    if (spare_.capacity() > kLargestSpare) spare_.shrink_to_fit();
  }
  writing_.clear();
  failure_.reset();
}

/// The index on disk must not know more than the segments on disk do: so nobody appends between the
/// last sync and the moment from which the index is saved.
Status DiskJournal::save_index() {
  const std::lock_guard lock(appending_);
  take_unwritten();
  if (auto status = write_and_sync(); !status) {
    failure_ = status.error();
    return status;
  }
  all_is_written();
  if (auto status = index_->save(indexed_segments()); !status) return status;
  unsaved_bytes_ = 0;
  unsaved_changes_ = 0;
  retired_.insert(retired_.end(), retiring_.begin(), retiring_.end());
  retiring_.clear();
  return {};
}

std::vector<IndexedSegment> DiskJournal::indexed_segments() const {
  std::vector<IndexedSegment> indexed;
  for (const auto& [id, end] : ends_) indexed.push_back({id, end});
  indexed.push_back({end_.segment, end_.offset});
  return indexed;
}

// --- Reading ----------------------------------------------------------------------------------

std::shared_ptr<const DiskJournal::Segments> DiskJournal::segments() const {
  const std::lock_guard lock(segments_mutex_);
  return segments_;
}

void DiskJournal::set_segments(std::shared_ptr<const Segments> segments) {
  const std::lock_guard lock(segments_mutex_);
  segments_.swap(segments);
}

Status DiskJournal::read(const Segments& segments, const ValuePlace& place,
                         std::string& value) const {
  const JournalPosition end{place.position.segment, place.position.offset + place.bytes};
  if (end > written_.load(std::memory_order_acquire) && read_unwritten(place, value)) return {};
  const auto found = segments.find(place.position.segment);
  if (found == segments.end()) {
    return failure(ErrorCode::kCorrupt, "the journal " + path_ + " has no segment " +
                                            std::to_string(place.position.segment) +
                                            ", which its index names");
  }
  const JournalSegment& segment = *found->second;
  if (auto status = segment.read(place.position.offset, place.bytes, value); !status) {
    return status;
  }
  if (crc32c(value) == place.checksum) return {};
  return failure(ErrorCode::kCorrupt, segment.path() + " does not hold at byte " +
                                          std::to_string(place.position.offset) +
                                          " what was written there");
}

bool DiskJournal::read_unwritten(const ValuePlace& place, std::string& value) const {
  const std::lock_guard lock(appending_);
  for (const auto* frames : {&writing_, &unwritten_}) {
    for (const auto& part : *frames) {
      const std::uint32_t offset = place.position.offset;
      if (part.segment->id() != place.position.segment || offset < part.at) continue;
      if (offset - part.at >= part.bytes.size()) continue;
      value.assign(part.bytes, offset - part.at, place.bytes);
      return true;
    }
  }
  return false;  // Written in the meantime.
}

Result<bool> DiskJournal::get(BytesView key, std::string& value) const {
  for (;;) {
    const auto before = segments();
    auto found = index_->get(key, value);
    if (!found || !*found) return found;
    const std::string stored = std::exchange(value, {});
    const auto entry = JournalIndex::decode(stored, index_->path());
    if (!entry) return std::unexpected(entry.error());
    if (!entry->place) {
      value = entry->value;
      return true;
    }
    // Unless segments came or went while the entry was read, it is in one of these.
    if (before != segments()) continue;
    if (auto status = read(*before, *entry->place, value); !status) {
      return std::unexpected(status.error());
    }
    return true;
  }
}

/// Walks the index and reads a value when it is asked for.
class DiskJournal::Cursor final : public StorageCursor {
 public:
  Cursor(const DiskJournal& journal, std::shared_ptr<const Segments> segments,
         std::unique_ptr<StorageCursor> entries)
      : journal_(journal), segments_(std::move(segments)), entries_(std::move(entries)) {}

  bool valid() const override { return failure_.has_value() && entries_->valid(); }
  void next() override {
    at_another([this] { entries_->next(); });
  }
  void previous() override {
    at_another([this] { entries_->previous(); });
  }
  void seek(BytesView key) override {
    at_another([&] { entries_->seek(key); });
  }
  void seek_for_previous(BytesView key) override {
    at_another([&] { entries_->seek_for_previous(key); });
  }
  void seek_to_last() override {
    at_another([this] { entries_->seek_to_last(); });
  }
  BytesView key() const override { return entries_->key(); }
  BytesView value() const override {
    if (!value_) value_ = read();
    return *value_;
  }
  Status status() const override { return failure_ ? entries_->status() : failure_; }

 private:
  void at_another(auto&& step) {
    step();
    value_.reset();
  }
  BytesView read() const {
    const auto entry = JournalIndex::decode(entries_->value(), journal_.path_);
    if (entry && !entry->place) return entry->value;
    failure_ = entry ? journal_.read(*segments_, *entry->place, memory_)
                     : Status(std::unexpected(entry.error()));
    return failure_ ? BytesView(memory_) : BytesView{};
  }

  const DiskJournal& journal_;
  const std::shared_ptr<const Segments> segments_;
  const std::unique_ptr<StorageCursor> entries_;
  mutable std::optional<BytesView> value_;
  mutable std::string memory_;
  mutable Status failure_;  // Of reading a value.
};

std::unique_ptr<StorageCursor> DiskJournal::scan(BytesView from, BytesView to) const {
  for (;;) {
    auto before = segments();
    auto entries = index_->scan(from, to);
    // The cursor keeps the files that its entries may name.
    if (before != segments()) continue;
    return std::make_unique<Cursor>(*this, std::move(before), std::move(entries));
  }
}

}  // namespace thalweg::internal
