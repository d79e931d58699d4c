#include "frozen_table.h"

namespace thalweg::internal {

std::string difference(const Checkpoint& checkpoint, const Checkpoint& expected) {
  if (checkpoint.cluster_id != expected.cluster_id) {
    return "it belongs to cluster \"" + checkpoint.cluster_id + "\", not \"" + expected.cluster_id +
           "\"";
  }
  if (checkpoint.changelog != expected.changelog) {
    return "it belongs to changelog \"" + checkpoint.changelog + "\", not \"" + expected.changelog +
           "\"";
  }
  if (checkpoint.changelog_partitions != expected.changelog_partitions) {
    return "its changelog had " + std::to_string(checkpoint.changelog_partitions) +
           " partitions, now " + std::to_string(expected.changelog_partitions);
  }
  return {};
}

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
