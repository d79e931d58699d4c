#include <thalweg/topology/distinct_sketch.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace thalweg {
namespace {

constexpr int kIndexBits = 10;

/// 64 well mixed bits: FNV-1a, then the finish of MurmurHash3.
std::uint64_t hash_of(BytesView item) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : item) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdULL;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53ULL;
  return hash ^ (hash >> 33);
}

}  // namespace

void DistinctSketch::add(BytesView item) {
  registers_.resize(kRegisters, '\0');
  const std::uint64_t hash = hash_of(item);
  const auto index = static_cast<std::size_t>(hash >> (64 - kIndexBits));
  // The place of the first one in the bits that do not choose the register.
  const int rank = std::countl_zero((hash << kIndexBits) | (1ULL << (kIndexBits - 1))) + 1;
  registers_[index] = std::max(registers_[index], static_cast<char>(rank));
}

void DistinctSketch::add(const DistinctSketch& other) {
  if (other.registers_.empty()) return;
  registers_.resize(kRegisters, '\0');
  for (std::size_t i = 0; i < kRegisters; ++i) {
    registers_[i] = std::max(registers_[i], other.registers_[i]);
  }
}

double DistinctSketch::estimate() const {
  if (registers_.empty()) return 0;
  constexpr auto kCount = static_cast<double>(kRegisters);
  constexpr double kBias = 0.7213 / (1 + 1.079 / kCount);
  double sum = 0;
  for (const char rank : registers_) sum += std::ldexp(1.0, -rank);
  const double raw = kBias * kCount * kCount / sum;
  const auto empty = static_cast<double>(std::ranges::count(registers_, '\0'));
  // A small set is told better by the registers it has not reached.
  return raw <= 2.5 * kCount && empty > 0 ? kCount * std::log(kCount / empty) : raw;
}

}  // namespace thalweg
