#include "tokens.h"

#include <bit>
#include <cstring>

#include <boost/json/value.hpp>

#include <thalweg/runtime/json_text.h>
#include <thalweg/schemas/serde.h>

#include "json_fields.h"
#include "text.h"

namespace thalweg::shop {
namespace {

// --- SHA-256, FIPS 180-4 --------------------------------------------------------------------

constexpr std::size_t kBlock = 64;

constexpr std::array<std::uint32_t, 64> kRound = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

using State = std::array<std::uint32_t, 8>;

void compress(State& state, const std::uint8_t* block) {
  std::array<std::uint32_t, 64> w{};
  for (std::size_t i = 0; i < 16; ++i) {
    std::uint32_t word;
    std::memcpy(&word, block + 4 * i, sizeof word);
    w[i] = std::endian::native == std::endian::little ? std::byteswap(word) : word;
  }
  for (std::size_t i = 16; i < 64; ++i) {
    const auto s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const auto s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t i = 0; i < 64; ++i) {
    const auto s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const auto t1 = h + s1 + ((e & f) ^ (~e & g)) + kRound[i] + w[i];
    const auto s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const auto t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const State added = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < state.size(); ++i) state[i] += added[i];
}

// --- base64url, RFC 4648 section 5, without padding -----------------------------------------

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string to_base64url(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<std::uint8_t>(c);
    for (count += 8; count >= 6; count -= 6) out += kAlphabet[bits >> (count - 6) & 63];
  }
  if (count > 0) out += kAlphabet[bits << (6 - count) & 63];
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return {};
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 255);
    }
  }
  if (text.size() % 4 == 1) return {};
  return out;
}

std::string_view view_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

/// In a time that does not tell where the two differ.
bool same(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<std::uint8_t>(a[i]) ^ static_cast<std::uint8_t>(b[i]);
  }
  return difference == 0;
}

Result<boost::json::object> part(std::string_view text) {
  const auto decoded = from_base64url(text);
  if (!decoded) return failure(ErrorCode::kInvalid, "the token is not base64url");
  auto value = parse_json(*decoded);
  if (!value || !value->is_object()) {
    return failure(ErrorCode::kInvalid, "the token does not hold JSON objects");
  }
  return std::move(value->get_object());
}

}  // namespace

Digest sha256(std::string_view bytes) {
  State state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::string padded(bytes);
  padded += '\x80';
  while (padded.size() % kBlock != kBlock - 8) padded += '\0';
  internal::append_big_endian<std::uint64_t>(static_cast<std::uint64_t>(bytes.size()) * 8, padded);
  for (std::size_t at = 0; at < padded.size(); at += kBlock) {
    compress(state, reinterpret_cast<const std::uint8_t*>(padded.data() + at));
  }
  Digest digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::uint8_t>(state[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

Digest hmac_sha256(std::string_view key, std::string_view bytes) {
  std::string block(key.size() > kBlock ? std::string(view_of(sha256(key))) : std::string(key));
  block.resize(kBlock, '\0');
  std::string inner = block;
  std::string outer = block;
  for (std::size_t i = 0; i < kBlock; ++i) {
    inner[i] = static_cast<char>(inner[i] ^ 0x36);
    outer[i] = static_cast<char>(outer[i] ^ 0x5c);
  }
  inner += bytes;
  outer += view_of(sha256(inner));
  return sha256(outer);
}

Result<Claims> read_token(std::string_view token, std::string_view secret, std::int64_t now_ms) {
  const auto first = token.find('.');
  const auto second = token.find('.', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return failure(ErrorCode::kInvalid, "the token does not have three parts");
  }
  const auto header = part(token.substr(0, first));
  if (!header) return std::unexpected(header.error());
  const auto* algorithm = header->if_contains("alg");
  if (!algorithm || !algorithm->is_string() || algorithm->get_string() != "HS256") {
    return failure(ErrorCode::kInvalid, "the token is not signed with HS256");
  }
  const auto signature = from_base64url(token.substr(second + 1));
  if (!signature || !same(*signature, view_of(hmac_sha256(secret, token.substr(0, second))))) {
    return failure(ErrorCode::kInvalid, "the token's signature is wrong");
  }
  const auto claims = part(token.substr(first + 1, second - first - 1));
  if (!claims) return std::unexpected(claims.error());
  const auto time = [&](const char* name) -> std::optional<double> {
    const auto* value = claims->if_contains(name);
    if (!value || !value->is_number()) return {};
    return value->to_number<double>() * 1000;
  };
  const auto now = static_cast<double>(now_ms);
  if (const auto until = time("exp"); until && now >= *until) {
    return failure(ErrorCode::kInvalid, "the token has expired");
  }
  if (const auto from = time("nbf"); from && now < *from) {
    return failure(ErrorCode::kInvalid, "the token is not valid yet");
  }
  const auto* user = claims->if_contains("sub");
  if (!user || !user->is_string() || user->get_string().empty()) {
    return failure(ErrorCode::kInvalid, "the token has no sub");
  }
  const auto text = [&](const char* name) {
    const auto* value = claims->if_contains(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
  };
  Claims found{.user_id = text("sub"), .email = text("email"), .gender = text("gender")};
  const auto* age = claims->if_contains("age");
  if (age && age->is_int64() && age->get_int64() >= 0 && age->get_int64() <= kAgeMax) {
    found.age = static_cast<std::int32_t>(age->get_int64());
  }
  return found;
}

std::string make_token(std::string_view user_id, std::string_view secret, std::int64_t expires_ms) {
  std::string claims;
  JsonWriter json(claims);
  json.text("sub", user_id);
  if (expires_ms > 0) json.number("exp", expires_ms / 1000);
  json.end();
  std::string token = to_base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + to_base64url(claims);
  const Digest signature = hmac_sha256(secret, token);
  return token + "." + to_base64url(view_of(signature));
}

}  // namespace thalweg::shop
