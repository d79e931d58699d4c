#pragma once

#include <optional>
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

/// Answers one scan over tables in memory, newest first, above a family (null: none). The
/// tables must be grouped, if the scan is limited to a group, or else ordered. Appends at most
/// scan.limit entries to `out`; fewer mean the end.
Status merge_scan(const std::vector<const ByteTable*>& newest_first, const Family* family,
                  const StoreView::Scan& scan, std::vector<StoredEntry>& out);

}  // namespace thalweg::internal
