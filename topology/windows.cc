#include <stdexcept>
#include <string>

#include <thalweg/topology/count_windowed_kstream.h>
#include <thalweg/topology/time_windowed_kstream.h>

namespace thalweg {
namespace {

using Duration = std::chrono::milliseconds;

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

void require_grace(Duration grace) {
  require(grace >= Duration(0), "Grace period must not be negative.");
}

}  // namespace

namespace internal {

Duration check_retention(std::optional<Duration> wanted, Duration needed,
                         const std::string& store) {
  const Duration retention = wanted.value_or(needed);
  if (retention >= needed) return retention;
  throw std::invalid_argument("The retention period of the window store " + store +
                              " must be no smaller than its window size plus the grace period. "
                              "Got needed=[" +
                              std::to_string(needed.count()) + "], retention=[" +
                              std::to_string(retention.count()) + "]");
}

Duration check_idle(Duration idle) {
  require(idle > Duration(0), "The time to wait before windows close must be above 0 ms.");
  return idle;
}

std::string note_of(const Emission& emission) {
  if (!emission.close_when_idle) return {};
  return "closes when idle: " + std::to_string(emission.close_when_idle->count()) + " ms";
}

}  // namespace internal

TimeWindows TimeWindows::of_size_and_grace(Duration size, Duration grace) {
  require(size > Duration(0), "Window size (sizeMs) must be larger than zero.");
  require_grace(grace);
  return {size, size, grace};
}

TimeWindows TimeWindows::advance_by(Duration advance) const {
  require(advance > Duration(0) && advance <= size_,
          "Window advancement interval should be more than zero and less than window duration.");
  return {size_, advance, grace_};
}

void TimeWindows::check_end(Timestamp start) const {
  require(start <= kEndOfTime - size_,
          "Window endMs time cannot be smaller than window startMs time.");
}

std::optional<std::pair<Timestamp, Timestamp>> TimeWindows::closed_since(
    Timestamp last, Timestamp close_time) const {
  const Timestamp epoch = from_millis(0);
  const Timestamp to = close_time - size_;
  if (to < epoch) return std::nullopt;
  if (last == kNoTimestamp) return std::pair(epoch, to);
  const Timestamp before = std::max(epoch, last - size_);
  if (same_windows(to, before)) return std::nullopt;
  return std::pair(before + Duration(1), to);
}

UnlimitedWindows UnlimitedWindows::start_on(Timestamp start) const {
  require(start >= from_millis(0), "Window start time (startMs) cannot be negative.");
  UnlimitedWindows windows;
  windows.start_ = start;
  return windows;
}

CountWindows CountWindows::of(std::int64_t records) {
  require(records > 0, "A count window needs at least one record.");
  return CountWindows(records);
}

SlidingWindows SlidingWindows::of_time_difference_and_grace(Duration difference, Duration grace) {
  require(difference >= Duration(0), "Window time difference must not be negative.");
  require_grace(grace);
  return {difference, grace};
}

SessionWindows SessionWindows::of_inactivity_gap_and_grace(Duration gap, Duration grace) {
  require(gap >= Duration(0), "Gap time cannot be negative.");
  require_grace(grace);
  return {gap, grace};
}

}  // namespace thalweg
