#pragma once

#include <cstdint>
#include <string_view>

#include <thalweg/schemas/ids.h>

namespace thalweg {

/// Hears how stores are read from their changelogs before their tasks run: Kafka Streams'
/// StateRestoreListener.
///
/// Each partition of a store with a changelog is told, also one that has nothing to read: from a
/// start to an end, or to on_restore_suspended() when its task leaves, begins anew or is closed
/// before. Then there may be another start. Standby replicas are not told; a global store is, of
/// each partition of its topic, once for all threads.
///
/// All workers share a listener, and call it from their threads: several may at once, and those of
/// one partition of a store come in order. It must not wait, since the tasks that run beside the
/// restore wait with it, and must not call close(), which waits for the workers. What it throws is
/// logged and goes no further (Kafka Streams ends the thread): no restore hangs on who watches it.
class StateRestoreListener {
 public:
  virtual ~StateRestoreListener() = default;
  /// `store` is going to be read from `from` up to `end`, which is no longer part of it. Nothing is
  /// to be read where `from` is not below `end`.
  virtual void on_restore_start(const TopicPartition& /*changelog*/, std::string_view /*store*/,
                                Offset /*from*/, Offset /*end*/) {}
  /// The store has been given `records` more (at least one), the last of them at offset `last`.
  virtual void on_batch_restored(const TopicPartition& /*changelog*/, std::string_view /*store*/,
                                 Offset /*last*/, std::uint64_t /*records*/) {}
  /// The store has it all: `records` since the start, which may be fewer than offsets. Its task
  /// may wait for other stores yet.
  virtual void on_restore_end(const TopicPartition& /*changelog*/, std::string_view /*store*/,
                              std::uint64_t /*records*/) {}
  /// The restore has stopped before its end, `records` after its start (KIP-869).
  virtual void on_restore_suspended(const TopicPartition& /*changelog*/, std::string_view /*store*/,
                                    std::uint64_t /*records*/) {}
};

}  // namespace thalweg
