// Tokens: who is believed, and who is not.

#include "tokens.h"

#include <gtest/gtest.h>

#include "digest.h"

namespace thalweg::shop {
namespace {

std::string base64url(std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 6) {
    unsigned digit = 0;
    for (std::size_t at = bit; at < bit + 6; ++at) {
      const unsigned byte = at / 8 < bytes.size() ? static_cast<std::uint8_t>(bytes[at / 8]) : 0;
      digit = digit << 1 | (byte >> (7 - at % 8) & 1);
    }
    text += kAlphabet[digit];
  }
  return text;
}

/// A token of ann's that says this too, as somebody who has the secret may sign it.
std::string token_saying(std::string_view claim) {
  const std::string token = base64url(R"({"alg":"HS256"})") + "." +
                            base64url(R"({"sub":"ann",)" + std::string(claim) + "}");
  const Digest signature = hmac_sha256("secret", token);
  return token + "." + base64url(view_of(signature));
}

TEST(Token, SpeaksForItsUser) {
  const auto claims = read_token(make_token("ann", "secret", 0), "secret", 1);

  ASSERT_TRUE(claims.has_value()) << claims.error().message;
  EXPECT_EQ(claims->user_id, "ann");
}

TEST(Token, OfAnotherSecretIsNotBelieved) {
  EXPECT_FALSE(read_token(make_token("ann", "guess", 0), "secret", 1).has_value());
}

TEST(Token, HasAnEnd) {
  const std::string token = make_token("ann", "secret", 10'000);

  EXPECT_TRUE(read_token(token, "secret", 9'999).has_value());
  EXPECT_FALSE(read_token(token, "secret", 10'000).has_value());
}

TEST(Token, MayNameItsLimitsWithFractions) {
  EXPECT_TRUE(read_token(token_saying(R"("exp":10.5)"), "secret", 10'499).has_value());
  EXPECT_FALSE(read_token(token_saying(R"("exp":10.5)"), "secret", 10'500).has_value());
  EXPECT_TRUE(read_token(token_saying(R"("nbf":10)"), "secret", 10'000).has_value());
  EXPECT_FALSE(read_token(token_saying(R"("nbf":10)"), "secret", 9'999).has_value());
  EXPECT_FALSE(read_token(token_saying(R"("exp":-1e300)"), "secret", 0).has_value());
}

TEST(Token, WhoseLimitsAreNoNumbersIsNotBelieved) {
  for (const std::string limit : {R"("1795412033")", "true", "[1]", "{}", "null", "1e308"}) {
    for (const std::string claim : {R"("exp":)", R"("nbf":)"}) {
      EXPECT_FALSE(read_token(token_saying(claim + limit), "secret", 1).has_value())
          << claim << limit;
    }
  }
}

TEST(Token, ThatIsChangedAnywhereIsNotBelieved) {
  const std::string token = make_token("ann", "secret", 0);

  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    // The last character of the signature has two bits that mean nothing.
    if (i + 1 != token.size()) {
      EXPECT_FALSE(read_token(changed, "secret", 1).has_value()) << "at " << i;
    }
  }
  EXPECT_FALSE(read_token(token.substr(0, token.rfind('.') + 1), "secret", 1).has_value());
  EXPECT_FALSE(read_token("", "secret", 1).has_value());
}

}  // namespace
}  // namespace thalweg::shop
