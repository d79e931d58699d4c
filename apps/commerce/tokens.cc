#include "tokens.h"

#include <cmath>

#include <boost/json/value.hpp>

#include <thalweg/runtime/json_text.h>

#include "digest.h"
#include "json_fields.h"
#include "text.h"

namespace thalweg::shop {
namespace {

// base64url, RFC 4648 section 5, without padding.

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

Result<boost::json::object> part(std::string_view text) {
  const auto decoded = from_base64url(text);
  if (!decoded) return failure(ErrorCode::kInvalid, "the token is not base64url");
  auto value = parse_json(*decoded);
  if (!value || !value->is_object()) {
    return failure(ErrorCode::kInvalid, "the token does not hold JSON objects");
  }
  return std::move(value->get_object());
}

/// A NumericDate of RFC 7519, in milliseconds; none if the token does not say it. What says it in
/// any other way is refused: a limit that cannot be read must not count as none.
Result<std::optional<double>> time_of(const boost::json::object& claims, std::string_view name) {
  const auto* value = claims.if_contains(name);
  if (!value) return std::optional<double>();
  if (value->is_number()) {
    const double millis = value->to_number<double>() * 1000;
    if (std::isfinite(millis)) return std::optional(millis);
  }
  return failure(ErrorCode::kInvalid, "the token's " + std::string(name) + " is not a number");
}

}  // namespace

bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<std::uint8_t>(a[i]) ^ static_cast<std::uint8_t>(b[i]);
  }
  return difference == 0;
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
  const Digest expected = hmac_sha256(secret, token.substr(0, second));
  if (!signature || !same_secret(*signature, view_of(expected))) {
    return failure(ErrorCode::kInvalid, "the token's signature is wrong");
  }
  const auto claims = part(token.substr(first + 1, second - first - 1));
  if (!claims) return std::unexpected(claims.error());
  const auto until = time_of(*claims, "exp");
  if (!until) return std::unexpected(until.error());
  const auto from = time_of(*claims, "nbf");
  if (!from) return std::unexpected(from.error());
  const auto now = static_cast<double>(now_ms);
  if (*until && now >= **until) {
    return failure(ErrorCode::kInvalid, "the token has expired");
  }
  if (*from && now < **from) {
    return failure(ErrorCode::kInvalid, "the token is not valid yet");
  }
  const auto* user = claims->if_contains("sub");
  if (!user || !user->is_string() || user->get_string().empty()) {
    return failure(ErrorCode::kInvalid, "the token has no sub");
  }
  if (!is_id(std::string_view(user->get_string()))) {
    return failure(ErrorCode::kInvalid, "the token's sub " + id_fault());
  }
  const auto text = [&](const char* name, std::size_t length_max) {
    const auto* value = claims->if_contains(name);
    if (!value || !value->is_string()) return std::string();
    const std::string_view said = value->get_string();
    return said.size() <= length_max && is_id(said) ? std::string(said) : std::string();
  };
  Claims found{.user_id = text("sub", kIdLengthMax),
               .email = text("email", kIdLengthMax),
               .gender = text("gender", kGenderLengthMax)};
  const auto* age = claims->if_contains("age");
  if (age && age->is_int64() && age->get_int64() >= 0 && age->get_int64() <= kAgeMax) {
    found.age = static_cast<std::int32_t>(age->get_int64());
  }
  return found;
}

std::string make_token(const Claims& claims, std::string_view secret, std::int64_t expires_ms) {
  std::string payload;
  JsonWriter json(payload);
  json.text("sub", claims.user_id);
  if (!claims.email.empty()) json.text("email", claims.email);
  if (claims.age >= 0) json.number("age", claims.age);
  if (!claims.gender.empty()) json.text("gender", claims.gender);
  if (expires_ms > 0) json.number("exp", expires_ms / 1000);
  json.end();
  std::string token = to_base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + to_base64url(payload);
  const Digest signature = hmac_sha256(secret, token);
  return token + "." + to_base64url(view_of(signature));
}

}  // namespace thalweg::shop
