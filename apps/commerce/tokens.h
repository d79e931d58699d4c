#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <thalweg/schemas/error.h>

namespace thalweg::shop {

/// Who a token speaks for. What else it says and nobody could have counts as not said.
struct Claims {
  std::string user_id;      ///< `sub`.
  std::string email = {};   ///< Empty: not said.
  std::int32_t age = -1;    ///< Negative: not said.
  std::string gender = {};  ///< Empty: not said.
};

/// Reads a JSON Web Token signed with HS256 and `secret`. kInvalid says what is wrong with it:
/// form, algorithm, signature, `exp` or `nbf` (which are numbers where they are said at all), or a
/// `sub` that is missing or no id.
Result<Claims> read_token(std::string_view token, std::string_view secret, std::int64_t now_ms);

/// Whether two secrets are the same, in a time that does not tell where they differ.
bool same_secret(std::string_view a, std::string_view b);

/// Makes such a token, for tools and tests. `expires_ms` 0: never.
std::string make_token(const Claims& claims, std::string_view secret, std::int64_t expires_ms);
inline std::string make_token(std::string_view user_id, std::string_view secret,
                              std::int64_t expires_ms) {
  return make_token(Claims{.user_id = std::string(user_id)}, secret, expires_ms);
}

}  // namespace thalweg::shop
