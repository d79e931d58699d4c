#pragma once

#include <cstdint>
#include <string>

namespace thalweg::bench {

/// Printable noise from `begin` to the end, six bits of chance a letter.
void fill_noise(std::string& value, std::size_t begin, std::uint64_t seed);

}  // namespace thalweg::bench
