#pragma once

#include <cstddef>
#include <cstdint>

#include <thalweg/state/state_store.h>

namespace thalweg::internal {

/// A store's side of the memory budget: sums up changes of level 1 and reports them now and then,
/// so that a write costs no atomic operation.
class MemoryMeter {
 public:
  void report_to(MemoryBudget* budget) { budget_ = budget; }

  /// An entry came (or, with negative bytes, went).
  void add(std::int64_t bytes) { unreported_ += bytes; }
  /// An entry became clean, or is no longer.
  void add_clean(std::uint32_t bytes) {
    ++clean_entries_;
    unreported_clean_ += bytes;
  }
  void remove_clean(std::uint32_t bytes) {
    --clean_entries_;
    unreported_clean_ -= bytes;
  }

  void report() {
    if (budget_) {
      budget_->add(unreported_);
      budget_->add_cached(unreported_clean_);
    }
    unreported_ = unreported_clean_ = 0;
  }
  void report_if_much() {
    if (is_much(unreported_) || is_much(unreported_clean_)) report();
  }

  std::size_t clean_entries() const { return clean_entries_; }
  /// Whether clean entries take more than their share, as of the last report.
  bool cache_is_full() const {
    return budget_ ? budget_->cache_is_full() : clean_entries_ > kCleanWithoutBudget;
  }

 private:
  static constexpr std::size_t kCleanWithoutBudget = 65'536;  // Entries, when nobody set a limit.
  static constexpr std::int64_t kReportEvery = 16 * 1024;     // Bytes.

  static bool is_much(std::int64_t bytes) { return bytes > kReportEvery || bytes < -kReportEvery; }

  MemoryBudget* budget_ = nullptr;
  std::size_t clean_entries_ = 0;
  std::int64_t unreported_ = 0;
  std::int64_t unreported_clean_ = 0;
};

}  // namespace thalweg::internal
