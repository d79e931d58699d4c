#pragma once

#include <cstdint>

#include <thalweg/schemas/bytes.h>

namespace thalweg::internal {

/// CRC-32C (Castagnoli) of `bytes`, by the processor's instruction where it has one.
std::uint32_t crc32c(BytesView bytes);

}  // namespace thalweg::internal
