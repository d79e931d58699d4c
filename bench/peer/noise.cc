#include "peer/noise.h"

#include <string_view>

#include "peer/shuffle_rules.h"

namespace thalweg::bench {

void fill_noise(std::string& value, std::size_t begin, std::uint64_t seed) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  constexpr int kLettersOfOne = 10;
  std::uint64_t random = 0;
  for (std::size_t i = begin, left = 0; i < value.size(); ++i, --left) {
    if (left == 0) {
      random = mix(seed++);
      left = kLettersOfOne;
    }
    value[i] = kLetters[random & 63];
    random >>= 6;
  }
}

}  // namespace thalweg::bench
