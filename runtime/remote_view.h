#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <thalweg/runtime/peers.h>
#include <thalweg/state/state_store.h>

namespace thalweg::internal {

/// One partition of a store that another process keeps, read there row by row. Its members wait
/// for that process; kUnavailable says that it has the partition no longer, or not yet, or does not
/// answer. What they give is durable, so last_commit() is none.
class RemoteView final : public StoreView {
 public:
  /// `peers` must outlive the view.
  RemoteView(Peers& peers, std::string server, std::string application, std::string store,
             std::int32_t partition)
      : peers_(peers),
        server_(std::move(server)),
        application_(std::move(application)),
        store_(std::move(store)),
        partition_(partition) {}

  Result<std::optional<StoredEntry>> get(BytesView key) const override;
  Result<std::vector<StoredEntry>> scan(const Scan& scan) const override;
  std::uint64_t approximate_entries() const override { return 0; }
  CommitSequence last_commit() const override { return 0; }
  /// As the last answer said.
  Timestamp first_readable() const override { return from_millis(first_readable_.load()); }

 private:
  Result<std::vector<StoredEntry>> ask(std::string target) const;

  Peers& peers_;
  const std::string server_;
  const std::string application_;
  const std::string store_;
  const std::int32_t partition_;
  mutable std::atomic<std::int64_t> first_readable_ = to_millis(kNoTimestamp);
};

}  // namespace thalweg::internal
