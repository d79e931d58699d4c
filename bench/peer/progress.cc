#include "peer/progress.h"

#include <chrono>
#include <sys/resource.h>

namespace thalweg::bench {

void Progress::note_first() {
  const double cpu = cpu_seconds();
  std::int64_t none = 0;
  if (first_ns.compare_exchange_strong(none, wall_clock_ns())) first_cpu_s = cpu;
}

std::int64_t wall_clock_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace thalweg::bench
