#pragma once

#include <chrono>
#include <functional>
#include <optional>

namespace thalweg::internal {

/// Whether the machine has processor time to spare, judged by how long its processors have been
/// idle since the question before. Where the machine does not tell, it has. For one thread.
class SpareTime {
 public:
  using Duration = std::chrono::nanoseconds;
  /// The time that all processors together have been idle; nothing where that is not known.
  using Idle = std::function<std::optional<Duration>()>;

  /// Idle time as Linux counts it, for all processors of the machine (proc(5), `/proc/uptime`).
  static std::optional<Duration> idle_of_machine();

  explicit SpareTime(int processors, Idle idle = idle_of_machine);

  /// Whether a tenth of the processors' time or more was idle since the last question. Idle time is
  /// counted in hundredths of a second, so a question sooner than a twentieth of a second after the
  /// last has the same answer.
  bool is_left(std::chrono::steady_clock::time_point now);

 private:
  const int processors_;
  const Idle idle_;
  std::chrono::steady_clock::time_point asked_{};
  std::optional<Duration> idle_then_;
  bool is_left_ = true;
};

}  // namespace thalweg::internal
