#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace thalweg::bench {

/// Counts from many threads without one waiting for the other.
class Count {
 public:
  void add() { slots_[slot()].value.fetch_add(1, std::memory_order_relaxed); }
  std::int64_t sum() const {
    std::int64_t sum = 0;
    for (const auto& slot : slots_) sum += slot.value.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  static constexpr std::size_t kSlots = 16;
  struct alignas(64) Slot {
    std::atomic<std::int64_t> value = 0;
  };
  static std::size_t slot() {
    static std::atomic<std::size_t> next = 0;
    thread_local const std::size_t mine = next++ % kSlots;
    return mine;
  }
  std::array<Slot, kSlots> slots_;
};

/// How far a run is. Filled by the topology, read by the main thread.
struct Progress {
  Count in;                                ///< Source records that were processed.
  Count done;                              ///< Records that the last step with state has had.
  std::atomic<std::int64_t> first_ns = 0;  ///< The wall clock at the first record.
  std::atomic<double> first_cpu_s = 0;     ///< CPU time that the process had used until then.

  void count_in() {
    if (first_ns.load(std::memory_order_relaxed) == 0) [[unlikely]]
      note_first();
    in.add();
  }

 private:
  void note_first();
};

std::int64_t wall_clock_ns();
double cpu_seconds();  ///< Of this process.

}  // namespace thalweg::bench
