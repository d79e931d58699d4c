#pragma once

#include <cstdint>
#include <string_view>

#include <thalweg/runtime/state_restore_listener.h>

namespace thalweg::internal {

/// Tells a listener, if there is one, and keeps what it throws away from who restores.
class RestoreNotices {
 public:
  /// Null: nobody listens.
  explicit RestoreNotices(StateRestoreListener* listener) : listener_(listener) {}

  void start(const TopicPartition& changelog, std::string_view store, Offset from,
             Offset end) const;
  void batch(const TopicPartition& changelog, std::string_view store, Offset last,
             std::uint64_t records) const;
  void end(const TopicPartition& changelog, std::string_view store, std::uint64_t records) const;
  void suspended(const TopicPartition& changelog, std::string_view store,
                 std::uint64_t records) const;

 private:
  StateRestoreListener* listener_;
};

}  // namespace thalweg::internal
