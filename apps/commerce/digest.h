#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace thalweg::shop {

/// 256 bits.
using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view bytes);
Digest hmac_sha256(std::string_view key, std::string_view bytes);

/// The digest's bytes, for as long as it lives.
std::string_view view_of(const Digest& digest);
/// In small letters.
std::string to_hex(const Digest& digest);

}  // namespace thalweg::shop
