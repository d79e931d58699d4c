#include <thalweg/schemas/check.h>
#include <thalweg/state/internal/write_log.h>

namespace thalweg::internal {
namespace {

constexpr std::size_t kKeptArenaBytes = 4u << 20;

}  // namespace

std::uint32_t WriteLog::add(std::size_t at, std::size_t key_size, bool has_value,
                            Timestamp timestamp, std::uint32_t previous) {
  const std::size_t value_size = arena_.size() - at - key_size;
  THALWEG_CHECK(key_size < kNone && value_size < kNone, "an entry of 4 GiB");
  if (previous != kNone) {
    Write& old = writes_[previous];
    if (old.has_value == has_value && old.value_size == value_size) {
      arena_.replace(old.at + old.key_size, value_size, arena_, at + key_size, value_size);
      arena_.resize(at);
      old.timestamp = timestamp;
      return previous;
    }
    old.is_superseded = true;
  }
  writes_.push_back({at, static_cast<std::uint32_t>(key_size),
                     static_cast<std::uint32_t>(value_size), timestamp, has_value, false});
  return static_cast<std::uint32_t>(writes_.size() - 1);
}

const std::vector<TableWrite>& WriteLog::live() {
  live_.clear();
  for (std::uint32_t i = 0; i < writes_.size(); ++i) {
    if (!writes_[i].is_superseded) live_.push_back({key(i), value(i), writes_[i].timestamp});
  }
  return live_;
}

void WriteLog::clear() {
  writes_.clear();
  live_.clear();
  arena_.clear();
  if (arena_.capacity() > kKeptArenaBytes) {
    arena_.shrink_to_fit();
    writes_.shrink_to_fit();
    live_.shrink_to_fit();
  }
}

}  // namespace thalweg::internal
