#include <thalweg/topology/internal/subscription.h>

#include <bit>
#include <cstring>

namespace thalweg::internal {
namespace {

constexpr std::uint64_t kFirstFactor = 0x87c37b91114253d5;
constexpr std::uint64_t kSecondFactor = 0x4cf5ad432745937f;
constexpr unsigned char kNoHash = 0x80;  // In the byte of the version.

std::uint64_t mixed_first(std::uint64_t lane) {
  return std::rotl(lane * kFirstFactor, 31) * kSecondFactor;
}
std::uint64_t mixed_second(std::uint64_t lane) {
  return std::rotl(lane * kSecondFactor, 33) * kFirstFactor;
}
std::uint64_t avalanche(std::uint64_t hash) {
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccd;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}
/// Up to eight bytes, the first one least significant.
std::uint64_t little_endian(BytesView bytes) {
  std::uint64_t lane = 0;
  for (std::size_t i = 0; i < bytes.size() && i < sizeof lane; ++i) {
    lane |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return lane;
}

unsigned char take_byte(BytesView& bytes, const char* what) {
  if (bytes.empty()) throw SerdeError(std::string(what) + " ends before its first bytes");
  const auto byte = static_cast<unsigned char>(bytes.front());
  bytes.remove_prefix(1);
  return byte;
}
ValueHash take_hash(BytesView& bytes, const char* what) {
  constexpr std::size_t kHalf = sizeof(std::uint64_t);
  if (bytes.size() < 2 * kHalf) throw SerdeError(std::string(what) + " ends within its hash");
  ValueHash hash;
  read_big_endian<std::uint64_t>(bytes.substr(0, kHalf), hash.first, "hash");
  read_big_endian<std::uint64_t>(bytes.substr(kHalf, kHalf), hash.second, "hash");
  bytes.remove_prefix(2 * kHalf);
  return hash;
}
void append_hash(const ValueHash& hash, std::string& out) {
  append_big_endian<std::uint64_t>(hash.first, out);
  append_big_endian<std::uint64_t>(hash.second, out);
}
[[noreturn]] void unknown_version(const char* what, unsigned version) {
  throw SerdeError(std::string(what) + " has version " + std::to_string(version) +
                   ", which is not known here");
}

}  // namespace

ValueHash ValueHash::of(BytesView bytes) {
  constexpr std::uint64_t kSeed = 104'729;
  constexpr std::size_t kBlock = 16;
  constexpr std::size_t kLane = 8;
  ValueHash hash{kSeed, kSeed};
  BytesView rest = bytes;
  for (; rest.size() >= kBlock; rest.remove_prefix(kBlock)) {
    hash.first ^= mixed_first(little_endian(rest.substr(0, kLane)));
    hash.first = (std::rotl(hash.first, 27) + hash.second) * 5 + 0x52dce729;
    hash.second ^= mixed_second(little_endian(rest.substr(kLane, kLane)));
    hash.second = (std::rotl(hash.second, 31) + hash.first) * 5 + 0x38495ab5;
  }
  if (rest.size() > kLane) hash.second ^= mixed_second(little_endian(rest.substr(kLane)));
  if (!rest.empty()) hash.first ^= mixed_first(little_endian(rest));
  hash.first ^= bytes.size();
  hash.second ^= bytes.size();
  hash.first += hash.second;
  hash.second += hash.first;
  hash.first = avalanche(hash.first);
  hash.second = avalanche(hash.second);
  hash.first += hash.second;
  hash.second += hash.first;
  return hash;
}

void SubscriptionBytes::write_head(const std::optional<ValueHash>& hash,
                                   SubscriptionInstruction instruction, bool has_partition,
                                   std::string& out) {
  const unsigned char version = has_partition ? 1 : 0;
  out += static_cast<char>(hash ? version : version | kNoHash);
  out += static_cast<char>(instruction);
  if (hash) append_hash(*hash, out);
}

SubscriptionBytes SubscriptionBytes::parse(BytesView bytes) {
  constexpr const char* kWhat = "a foreign key subscription";
  const unsigned char first = take_byte(bytes, kWhat);
  const unsigned version = first & ~kNoHash & 0xffU;
  if (version > 1) unknown_version(kWhat, version);
  const unsigned char instruction = take_byte(bytes, kWhat);
  if (instruction > 3) {
    throw SerdeError("a foreign key subscription has instruction " + std::to_string(instruction) +
                     ", known are 0 to 3");
  }
  SubscriptionBytes parts{.hash = {},
                          .instruction = static_cast<SubscriptionInstruction>(instruction),
                          .primary_key = {},
                          .primary_partition = {}};
  if ((first & kNoHash) == 0) parts.hash = take_hash(bytes, kWhat);
  if (version == 1) {
    if (bytes.size() < sizeof(std::int32_t)) {
      throw SerdeError("a foreign key subscription ends before its partition");
    }
    Serde<std::int32_t>::deserialize(bytes.substr(bytes.size() - sizeof(std::int32_t)),
                                     parts.primary_partition.emplace());
    bytes.remove_suffix(sizeof(std::int32_t));
  }
  parts.primary_key = bytes;
  return parts;
}

void ResponseBytes::write_head(const std::optional<ValueHash>& hash, std::string& out) {
  out += static_cast<char>(hash ? 0 : kNoHash);
  if (hash) append_hash(*hash, out);
}

ResponseBytes ResponseBytes::parse(BytesView bytes) {
  constexpr const char* kWhat = "a foreign key response";
  const unsigned char first = take_byte(bytes, kWhat);
  if (const unsigned version = first & ~kNoHash & 0xffU; version != 0) {
    unknown_version(kWhat, version);
  }
  ResponseBytes parts;
  if ((first & kNoHash) == 0) parts.hash = take_hash(bytes, kWhat);
  parts.value = bytes;
  return parts;
}

}  // namespace thalweg::internal
