#include <cmath>
#include <stdexcept>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flashsale/random.h"
#include "flashsale/zipf.h"

namespace thalweg::flashsale {
namespace {

// Draws often enough that a share of one in a hundred is known to a few per cent.
std::vector<double> shares_drawn(const ZipfDistribution& zipf, int draws = 1'000'000) {
  std::vector<double> shares(zipf.size(), 0);
  Draws source(42, 0);
  for (int draw = 0; draw < draws; ++draw) shares[zipf.rank_of(source.next())] += 1.0 / draws;
  return shares;
}

std::vector<double> shares_expected(std::uint32_t size, double skew) {
  std::vector<double> shares(size);
  double sum = 0;
  for (std::uint32_t rank = 0; rank < size; ++rank) {
    shares[rank] = std::pow(rank + 1.0, -skew);
    sum += shares[rank];
  }
  for (double& share : shares) share /= sum;
  return shares;
}

TEST(ZipfDistribution, DrawsEachRankAsOftenAsItsWeight) {
  const auto drawn = shares_drawn(ZipfDistribution(100, 0.99));
  const auto expected = shares_expected(100, 0.99);

  for (std::size_t rank = 0; rank < 100; ++rank) {
    EXPECT_NEAR(drawn[rank], expected[rank], 0.05 * expected[rank] + 2e-4) << "rank " << rank;
  }
}

TEST(ZipfDistribution, WithoutSkewIsUniform) {
  for (const double share : shares_drawn(ZipfDistribution(10, 0))) EXPECT_NEAR(share, 0.1, 0.002);
}

TEST(ZipfDistribution, OfOneRankAlwaysDrawsIt) {
  const ZipfDistribution only(1, 0.99);

  EXPECT_EQ(only.rank_of(0), 0u);
  EXPECT_EQ(only.rank_of(~0ull), 0u);
}

TEST(ZipfDistribution, SteepSkewLeavesAlmostEverythingToTheFirstRank) {
  EXPECT_GT(shares_drawn(ZipfDistribution(1000, 10), 10'000)[0], 0.99);
}

TEST(ZipfDistribution, RefusesAnEmptyOrNegativeShape) {
  EXPECT_THROW(ZipfDistribution(0, 1), std::invalid_argument);
  EXPECT_THROW(ZipfDistribution(10, -1), std::invalid_argument);
  EXPECT_THROW(ZipfDistribution(10, std::nan("")), std::invalid_argument);
}

}  // namespace
}  // namespace thalweg::flashsale
