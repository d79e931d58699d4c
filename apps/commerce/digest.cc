#include "digest.h"

#include <new>

#include <openssl/evp.h>

namespace thalweg::shop {
namespace {

/// Nothing but a lack of memory makes a digest fail.
void check(bool done) {
  if (!done) throw std::bad_alloc();
}

const unsigned char* bytes_of(std::string_view text) {
  // OpenSSL takes a null pointer for "no key", which an empty key is not.
  return reinterpret_cast<const unsigned char*>(text.empty() ? "" : text.data());
}

}  // namespace

Digest sha256(std::string_view bytes) {
  Digest digest{};
  check(EVP_Digest(bytes_of(bytes), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) ==
        1);
  return digest;
}

Digest hmac_sha256(std::string_view key, std::string_view bytes) {
  Digest digest{};
  std::size_t size = 0;
  check(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, bytes_of(key), key.size(),
                  bytes_of(bytes), bytes.size(), digest.data(), digest.size(), &size) != nullptr);
  return digest;
}

std::string_view view_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string to_hex(const Digest& digest) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (const auto byte : digest) text += {kHex[byte >> 4], kHex[byte & 15]};
  return text;
}

}  // namespace thalweg::shop
