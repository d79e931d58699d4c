// Tokens: who is believed, and who is not.

#include "tokens.h"

#include <gtest/gtest.h>

namespace thalweg::shop {
namespace {

std::string hex(const Digest& digest) {
  std::string text;
  for (const auto byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

TEST(Sha256, GivesTheDigestsOfTheStandard) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(HmacSha256, GivesTheCodesOfRfc4231) {
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'),
                            "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
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
