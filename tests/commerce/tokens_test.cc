// Tokens: who is believed, and who is not.

#include "tokens.h"

#include <gtest/gtest.h>

namespace thalweg::shop {
namespace {

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
