#include "merged_scan.h"

#include "big_endian.h"

namespace thalweg::internal {
namespace {

constexpr std::size_t kTimestampSize = sizeof(std::int64_t);

/// One level's entries in the order of the scan.
class Source {
 public:
  virtual ~Source() = default;
  virtual bool valid() const = 0;
  virtual BytesView key() const = 0;
  virtual void advance() = 0;
  /// Fills value and timestamp; false: the entry is a tombstone.
  virtual Result<bool> read(StoredEntry& out) const = 0;
  virtual Status status() const { return {}; }
};

class TableSource final : public Source {
 public:
  TableSource(const ByteTable& table, const StoreView::Scan& scan) : reverse_(scan.reverse) {
    const auto& order = table.order();
    first_ = scan.from ? order.lower_bound(BytesView(*scan.from)) : order.begin();
    last_ = scan.to ? order.lower_bound(BytesView(*scan.to)) : order.end();
    if (scan.from && scan.to && *scan.to < *scan.from) last_ = first_;
  }

  bool valid() const override { return first_ != last_; }
  BytesView key() const override { return at()->key(); }
  void advance() override {
    if (reverse_) {
      --last_;
    } else {
      ++first_;
    }
  }
  Result<bool> read(StoredEntry& out) const override {
    const ByteEntry* entry = at();
    if (entry->is_tombstone()) return false;
    out.value.assign(entry->value());
    out.timestamp = entry->timestamp();
    return true;
  }

 private:
  const ByteEntry* at() const { return reverse_ ? *std::prev(last_) : *first_; }

  // What is left to visit: the scan takes from either end.
  ByteTable::Order::const_iterator first_;
  ByteTable::Order::const_iterator last_;
  bool reverse_;
};

class FamilySource final : public Source {
 public:
  FamilySource(StorageCursor& cursor, const StoreView::Scan& scan) : cursor_(cursor), scan_(scan) {
    if (!scan.reverse) {
      cursor_.seek(scan.from ? BytesView(*scan.from) : BytesView{});
    } else if (scan.to) {
      cursor_.seek_for_previous(*scan.to);
      if (cursor_.valid() && cursor_.key() == *scan.to) cursor_.previous();
    } else {
      cursor_.seek_to_last();
    }
  }

  bool valid() const override {
    if (!cursor_.valid()) return false;
    return scan_.reverse ? !scan_.from || cursor_.key() >= *scan_.from
                         : !scan_.to || cursor_.key() < *scan_.to;
  }
  BytesView key() const override { return cursor_.key(); }
  void advance() override {
    if (scan_.reverse) {
      cursor_.previous();
    } else {
      cursor_.next();
    }
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
  StorageCursor& cursor_;
  const StoreView::Scan& scan_;
};

}  // namespace

Status decode_stored(BytesView stored, BytesView& value, Timestamp& timestamp) {
  if (stored.size() < kTimestampSize) {
    return failure(ErrorCode::kCorrupt,
                   "a stored value of only " + std::to_string(stored.size()) + " bytes");
  }
  timestamp = from_millis(read_big_endian<std::int64_t>(stored));
  value = stored.substr(kTimestampSize);
  return {};
}

Status merge_scan(const std::vector<const ByteTable*>& newest_first, StorageCursor* family,
                  const StoreView::Scan& scan, std::vector<StoredEntry>& out) {
  std::vector<std::unique_ptr<Source>> sources;
  for (const ByteTable* table : newest_first) {
    sources.push_back(std::make_unique<TableSource>(*table, scan));
  }
  if (family) sources.push_back(std::make_unique<FamilySource>(*family, scan));

  StoredEntry entry;
  for (std::size_t found = 0; found < scan.limit;) {
    Source* next = nullptr;
    for (const auto& source : sources) {
      if (!source->valid()) {
        if (auto status = source->status(); !status) return status;
      } else if (!next ||
                 (scan.reverse ? source->key() > next->key() : source->key() < next->key())) {
        next = source.get();  // On equal keys the newer level, which comes first, stays.
      }
    }
    if (!next) break;
    entry.key.assign(next->key());
    auto is_there = next->read(entry);
    if (!is_there) return std::unexpected(is_there.error());
    for (const auto& source : sources) {
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
