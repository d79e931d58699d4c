#pragma once

#include <cstdint>
#include <string>

#include <thalweg/schemas/error.h>

namespace thalweg::internal {

/// What space is for.
enum class SpaceFor : std::uint8_t {
  kData,
  kUpkeep,  ///< What gives space back, and notes of a few bytes.
};

/// Whether `bytes` more can be written below `path` and leave the reserve that RocksDB needs for
/// files and manifests of its own: 128 MiB, on small disks a twentieth of the disk. Upkeep may use
/// half of it, or a full disk would stay full. kNoSpace, naming the path, when not.
Status check_free_space(const std::string& path, std::uint64_t bytes,
                        SpaceFor use = SpaceFor::kData);

}  // namespace thalweg::internal
