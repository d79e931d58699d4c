#include "frozen_table.h"

namespace thalweg::internal {

Status ingest(Family& family, std::vector<const ByteEntry*> entries, const Checkpoint& checkpoint,
              BytesView drop_before) {
  ByteTable::sort(entries);
  std::vector<Family::Entry> sorted;
  sorted.reserve(entries.size());
  constexpr std::size_t kAhead = 16;  // In the order of keys, each entry is a cache miss.
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (i + kAhead < entries.size()) __builtin_prefetch(entries[i + kAhead]);
    const ByteEntry* entry = entries[i];
    sorted.push_back({entry->key(), entry->is_tombstone()
                                        ? std::nullopt
                                        : std::optional<BytesView>(entry->stored())});
  }
  return family.ingest(sorted, checkpoint, drop_before);
}

}  // namespace thalweg::internal
