#include "merged_scan.h"

#include <optional>

#include <boost/container/small_vector.hpp>

#include "big_endian.h"

namespace thalweg::internal {
namespace {

constexpr std::size_t kTimestampSize = sizeof(std::int64_t);

/// One level's entries in the order of the scan. Most scans find nothing or one entry in a level,
/// so where the scan ends is compared with what it meets, not looked for.
class Source {
 public:
  virtual ~Source() = default;
  bool valid() const { return valid_; }
  BytesView key() const { return key_; }
  virtual void advance() = 0;
  /// Fills value and timestamp; false: the entry is a tombstone.
  virtual Result<bool> read(StoredEntry& out) const = 0;
  virtual Status status() const { return {}; }

 protected:
  explicit Source(const StoreView::Scan& scan) : scan_(scan) {}

  /// The level goes on with that key.
  void stand_at(BytesView key) {
    key_ = key;
    valid_ = scan_.reverse ? !scan_.from || key >= *scan_.from : !scan_.to || key < *scan_.to;
  }
  void end() { valid_ = false; }

  const StoreView::Scan& scan_;

 private:
  BytesView key_;
  bool valid_ = false;
};

class TableSource final : public Source {
 public:
  TableSource(const ByteTable& table, const StoreView::Scan& scan) : Source(scan) {
    const auto group = group_of(scan);
    const bool of_group = group && table.is_grouped();
    rows_ = of_group ? table.group(*group) : &table.order();
    if (!rows_) return;
    const auto& bound = scan.reverse ? scan.to : scan.from;
    if (bound) {
      at_ = rows_->lower_bound(*bound);
    } else {
      at_ = scan.reverse ? rows_->end() : rows_->begin();
    }
    settle();
  }

  void advance() override {
    if (scan_.reverse) {
      --at_;
    } else {
      ++at_;
    }
    settle();
  }
  Result<bool> read(StoredEntry& out) const override {
    const ByteEntry* entry = this->entry();
    if (entry->is_tombstone()) return false;
    out.value.assign(entry->value());
    out.timestamp = entry->timestamp();
    return true;
  }

 private:
  const ByteEntry* entry() const {
    auto at = at_;
    if (scan_.reverse) --at;
    return *at;
  }
  void settle() {
    if (at_ == (scan_.reverse ? rows_->begin() : rows_->end())) {
      end();
    } else {
      stand_at(entry()->key());
    }
  }

  const ByteTable::Order* rows_ = nullptr;  // Null: none of the group.
  ByteTable::Order::Place at_;              // In reverse: behind the entry that comes next.
};

class FamilySource final : public Source {
 public:
  FamilySource(StorageCursor& cursor, const StoreView::Scan& scan) : Source(scan), cursor_(cursor) {
    settle();
  }

  void advance() override {
    if (scan_.reverse) {
      cursor_.previous();
    } else {
      cursor_.next();
    }
    settle();
  }
  Result<bool> read(StoredEntry& out) const override {
    BytesView value;
    if (auto status = decode_stored(cursor_.value(), value, out.timestamp); !status) {
      return std::unexpected(status.error());
    }
    out.value.assign(value);
    return true;
  }
  Status status() const override { return cursor_.status(); }

 private:
  void settle() {
    if (cursor_.valid()) {
      stand_at(cursor_.key());
    } else {
      end();
    }
  }

  StorageCursor& cursor_;
};

/// At most two in memory, and the family.
using Sources = boost::container::small_vector<Source*, 3>;

// Of the next key the newest level's entry, which comes first.
Result<Source*> next_of(const Sources& sources, bool reverse) {
  Source* next = nullptr;
  for (Source* source : sources) {
    if (!source->valid()) {
      if (auto status = source->status(); !status) return std::unexpected(status.error());
    } else if (!next || (reverse ? source->key() > next->key() : source->key() < next->key())) {
      next = source;
    }
  }
  return next;
}

}  // namespace

std::optional<BytesView> group_of(const StoreView::Scan& scan) {
  if (scan.group == 0 || !scan.from || scan.from->size() < scan.group) return std::nullopt;
  return BytesView(*scan.from).substr(0, scan.group);
}

Status decode_stored(BytesView stored, BytesView& value, Timestamp& timestamp) {
  if (stored.size() < kTimestampSize) {
    return failure(ErrorCode::kCorrupt,
                   "a stored value of only " + std::to_string(stored.size()) + " bytes");
  }
  timestamp = from_millis(read_big_endian<std::int64_t>(stored));
  value = stored.substr(kTimestampSize);
  return {};
}

Result<bool> read_stored(const Family& family, BytesView key, std::string& value,
                         Timestamp& timestamp) {
  std::string stored;
  const auto is_there = family.get(key, stored);
  if (!is_there || !*is_there) return is_there;
  BytesView bytes;
  if (auto status = decode_stored(stored, bytes, timestamp); !status) {
    return std::unexpected(status.error());
  }
  value.assign(bytes);
  return true;
}

StorageCursor& KeptCursor::at_beginning(const StoreView::Scan& scan, const Family& family,
                                        std::uint64_t version) {
  if (!cursor_ || version_ != version) {
    cursor_ = family.scan();
    version_ = version;
  }
  if (!scan.reverse) {
    cursor_->seek(scan.from ? BytesView(*scan.from) : BytesView{});
  } else if (!scan.to) {
    cursor_->seek_to_last();
  } else {
    cursor_->seek_for_previous(*scan.to);
    if (cursor_->valid() && cursor_->key() == *scan.to) cursor_->previous();
  }
  return *cursor_;
}

Status merge_scan(std::span<const ByteTable* const> newest_first, StorageCursor* family,
                  const StoreView::Scan& scan, std::vector<StoredEntry>& out) {
  boost::container::small_vector<TableSource, 2> in_memory;
  std::optional<FamilySource> on_disk;
  Sources sources;
  for (const ByteTable* table : newest_first) in_memory.emplace_back(*table, scan);
  for (TableSource& source : in_memory) sources.push_back(&source);
  if (family) sources.push_back(&on_disk.emplace(*family, scan));

  StoredEntry entry;
  for (std::size_t found = 0; found < scan.limit;) {
    const auto next = next_of(sources, scan.reverse);
    if (!next) return std::unexpected(next.error());
    if (!*next) break;
    entry.key.assign((*next)->key());
    auto is_there = (*next)->read(entry);
    if (!is_there) return std::unexpected(is_there.error());
    for (Source* source : sources) {
      if (source->valid() && source->key() == entry.key) source->advance();
    }
    if (*is_there) {
      out.push_back(std::move(entry));
      ++found;
    }
  }
  return {};
}

}  // namespace thalweg::internal
