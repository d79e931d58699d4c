#include "free_space.h"

#include <algorithm>
#include <sys/statvfs.h>

#include "directory_lock.h"

namespace thalweg::internal {
namespace {

constexpr std::uint64_t kLargestReserve = 128u << 20;

std::string in_mebibytes(std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

Status check_free_space(const std::string& path, std::uint64_t bytes, SpaceFor use) {
  struct statvfs disk {};
  if (::statvfs(path.c_str(), &disk) != 0) {
    return std::unexpected(system_error("cannot ask for the free space of", path));
  }
  const std::uint64_t free = disk.f_bavail * disk.f_frsize;
  const std::uint64_t reserve = std::min(kLargestReserve, disk.f_blocks * disk.f_frsize / 20);
  if (free >= bytes + (use == SpaceFor::kUpkeep ? reserve / 2 : reserve)) return {};
  return failure(ErrorCode::kNoSpace, "no space left for " + path + ": " + in_mebibytes(free) +
                                          " free, of which " + in_mebibytes(reserve) +
                                          " are kept in reserve");
}

}  // namespace thalweg::internal
