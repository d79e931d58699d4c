#pragma once

#include <map>
#include <memory>
#include <string>

#include <thalweg/runtime/log.h>
#include <thalweg/state/state_store.h>
#include <thalweg/state/storage.h>

namespace thalweg::internal {

/// The rows of one partition of a store that nobody has open, read into memory as a whole. Does not
/// change any more once it is shared.
class LoadedView final : public StoreView {
 public:
  /// Applies every record of the changelog, from its beginning to its end.
  Status read_changelog(Log& log, const TopicPartition& changelog, StateStore::Kind kind);
  /// Takes what a store has on disk.
  Status read_family(const Family& family);

  Result<std::optional<StoredEntry>> get(BytesView key) const override;
  Result<std::vector<StoredEntry>> scan(const Scan& scan) const override;
  std::uint64_t approximate_entries() const override { return rows_.size(); }
  CommitSequence last_commit() const override { return 0; }

 private:
  struct Row {
    std::string value;
    Timestamp timestamp = kNoTimestamp;
  };
  void apply(const RecordView& record, StateStore::Kind kind);

  std::map<std::string, Row, std::less<>> rows_;
};

Result<std::shared_ptr<const StoreView>> view_of_changelog(Log& log,
                                                           const TopicPartition& changelog,
                                                           StateStore::Kind kind);
/// `family` may be null: then there is nothing.
Result<std::shared_ptr<const StoreView>> view_of_family(const std::shared_ptr<Family>& family);

}  // namespace thalweg::internal
