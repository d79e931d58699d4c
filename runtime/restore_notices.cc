#include "restore_notices.h"

#include <exception>

#include <spdlog/spdlog.h>

namespace thalweg::internal {
namespace {

// User code must not end a restore, least of all one that is being closed.
void guarded(std::string_view store, const TopicPartition& changelog, auto&& call) {
  try {
    call();
  } catch (const std::exception& error) {
    spdlog::error("store {}: the state restore listener threw at {}: {}", store,
                  to_string(changelog), error.what());
  } catch (...) {
    spdlog::error("store {}: the state restore listener threw at {}", store, to_string(changelog));
  }
}

}  // namespace

void RestoreNotices::start(const TopicPartition& changelog, std::string_view store, Offset from,
                           Offset end) const {
  if (!listener_) return;
  guarded(store, changelog, [&] { listener_->on_restore_start(changelog, store, from, end); });
}

void RestoreNotices::batch(const TopicPartition& changelog, std::string_view store, Offset last,
                           std::uint64_t records) const {
  if (!listener_) return;
  guarded(store, changelog, [&] { listener_->on_batch_restored(changelog, store, last, records); });
}

void RestoreNotices::end(const TopicPartition& changelog, std::string_view store,
                         std::uint64_t records) const {
  if (!listener_) return;
  guarded(store, changelog, [&] { listener_->on_restore_end(changelog, store, records); });
}

void RestoreNotices::suspended(const TopicPartition& changelog, std::string_view store,
                               std::uint64_t records) const {
  if (!listener_) return;
  guarded(store, changelog, [&] { listener_->on_restore_suspended(changelog, store, records); });
}

}  // namespace thalweg::internal
