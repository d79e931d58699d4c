#pragma once

#include <atomic>
#include <cstdint>

namespace thalweg::internal {

/// What a thread of the runtime is in the middle of, for crash tests.
enum class Phase : std::uint8_t { kProcessing, kCommit, kSpill, kRestore, kSync };

/// Counts the threads in each phase, byte by byte, in the file that THALWEG_PHASE_FILE names: a
/// shared mapping, so that after a `kill -9` the file still tells what was under way. Without the
/// variable it costs one branch.
class PhaseBoard {
 public:
  static PhaseBoard& instance();
  void enter(Phase phase) { add(phase, 1); }
  void leave(Phase phase) { add(phase, static_cast<std::uint8_t>(-1)); }

 private:
  PhaseBoard();
  void add(Phase phase, std::uint8_t n) {
    if (counts_) counts_[static_cast<int>(phase)].fetch_add(n, std::memory_order_relaxed);
  }

  std::atomic<std::uint8_t>* counts_ = nullptr;
};

/// The current thread is in `phase` while this lives.
class PhaseScope {
 public:
  explicit PhaseScope(Phase phase) : phase_(phase) { PhaseBoard::instance().enter(phase_); }
  ~PhaseScope() { PhaseBoard::instance().leave(phase_); }
  PhaseScope(const PhaseScope&) = delete;
  PhaseScope& operator=(const PhaseScope&) = delete;

 private:
  Phase phase_;
};

}  // namespace thalweg::internal
