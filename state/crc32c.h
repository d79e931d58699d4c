#pragma once

#include <cstdint>

#include <thalweg/schemas/bytes.h>

namespace thalweg::internal {

/// CRC-32C (Castagnoli) of `bytes`, as RFC 3720 defines it.
std::uint32_t crc32c(BytesView bytes);

}  // namespace thalweg::internal
