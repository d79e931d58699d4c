#pragma once

#include <cstdint>
#include <string>

#include <thalweg/schemas/error.h>

namespace thalweg::internal {

/// Whether `bytes` more can be written below `path` and leave the reserve that RocksDB needs for
/// files and manifests of its own: 128 MiB, on small disks a twentieth of the disk. kNoSpace,
/// naming the path, when not.
Status check_free_space(const std::string& path, std::uint64_t bytes);

}  // namespace thalweg::internal
