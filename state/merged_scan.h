#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <thalweg/state/state_store.h>

#include "byte_table.h"

namespace thalweg::internal {

/// The group that a scan is limited to, if it is.
std::optional<BytesView> group_of(const StoreView::Scan& scan);

/// Reads what level 3 stores for a key: 8 bytes of timestamp, then the value.
Status decode_stored(BytesView stored, BytesView& value, Timestamp& timestamp);

/// Reads a key's entry from level 3; false: there is none.
Result<bool> read_stored(const Family& family, BytesView key, std::string& value,
                         Timestamp& timestamp);

/// A cursor over a family that is kept for one scan after the other: to make one costs more than to
/// move it. Of one thread.
class KeptCursor {
 public:
  /// The cursor where the scan begins, made anew if it is of another version of the family.
  StorageCursor& at_beginning(const StoreView::Scan& scan, const Family& family,
                              std::uint64_t version);
  /// Lets go of it, and with it of the files of the family as it was.
  void drop() { cursor_.reset(); }

 private:
  std::unique_ptr<StorageCursor> cursor_;
  std::uint64_t version_ = 0;
};

/// Answers one scan over tables in memory, newest first, above a family whose cursor is where the
/// scan begins (null: none). The tables must be grouped, if the scan is limited to a group, or else
/// ordered. Appends at most scan.limit entries to `out`; fewer mean the end.
Status merge_scan(std::span<const ByteTable* const> newest_first, StorageCursor* family,
                  const StoreView::Scan& scan, std::vector<StoredEntry>& out);

}  // namespace thalweg::internal
