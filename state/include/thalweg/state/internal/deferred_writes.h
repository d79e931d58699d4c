#pragma once

#include <cstddef>

namespace thalweg::internal {

/// Writes that a store has been promised and gets when somebody looks: before its next read, write
/// or flush. For updates of which many would touch the same entries.
class DeferredWrites {
 public:
  virtual ~DeferredWrites() = default;
  /// Makes the writes; the store, which no longer waits for them, calls it.
  virtual void write() = 0;
  /// Forgets them: the transaction was aborted.
  virtual void forget() = 0;
  /// About what they will take in the open transaction.
  virtual std::size_t bytes() const = 0;
};

}  // namespace thalweg::internal
