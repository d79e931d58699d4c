#include <limits>
#include <map>
#include <regex>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thalweg/runtime/metrics.h>

namespace thalweg::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Reads an exposition as Prometheus does, and fails on what Prometheus would refuse.
std::map<std::string, double> parse(const std::string& text) {
  static const std::regex kComment(R"(# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .*|# EOF)");
  static const std::regex kSample(
      R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)re"
      R"re((\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\[\\"n])*",?)+\})?) ([^ ]+))re");
  std::map<std::string, double> samples;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_match(line, kComment)) continue;
    EXPECT_TRUE(std::regex_match(line, match, kSample)) << line;
    const bool fresh = samples.emplace(match[1], std::stod(match[5])).second;
    EXPECT_TRUE(fresh) << line;
  }
  return samples;
}

TEST(Metrics, CountersAndGaugesShowTheirValues) {
  MetricsRegistry registry;
  registry.counter("records_total", "Records.", {{"topic", "orders"}}).add(3);
  registry.counter("records_total", "Records.", {{"topic", "stock"}}).add();
  registry.gauge("lag_records", "Lag.").set(-1.5);

  const auto samples = parse(registry.expose());

  EXPECT_EQ(samples.at(R"(records_total{topic="orders"})"), 3);
  EXPECT_EQ(samples.at(R"(records_total{topic="stock"})"), 1);
  EXPECT_EQ(samples.at("lag_records"), -1.5);
}

TEST(Metrics, AskingTwiceGivesTheSameInstrument) {
  MetricsRegistry registry;
  auto& first = registry.counter("c_total", "C.", {{"a", "1"}, {"b", "2"}});

  EXPECT_EQ(&registry.counter("c_total", "C.", {{"b", "2"}, {"a", "1"}}), &first);
  EXPECT_NE(&registry.counter("c_total", "C.", {{"a", "2"}}), &first);
  EXPECT_THROW(registry.gauge("c_total", "C."), std::invalid_argument);
}

TEST(Metrics, TextIsEscapedSoThatItCannotBreakALine) {
  MetricsRegistry registry;
  registry.gauge("g", "back\\slash\nnew line", {{"path", "a\"b\\c\nd"}}).set(1);

  const auto text = registry.expose();

  EXPECT_THAT(text, HasSubstr("# HELP g back\\\\slash\\nnew line\n"));
  EXPECT_EQ(parse(text).at(R"(g{path="a\"b\\c\nd"})"), 1);
}

TEST(Metrics, NamesThatPrometheusDoesNotKnowAreMadeKnown) {
  MetricsRegistry registry;
  registry.gauge("dropped-records.rate", "R.").set(2);
  registry.gauge("9lives", "L.").set(9);

  const auto samples = parse(registry.expose());

  EXPECT_EQ(samples.at("dropped_records_rate"), 2);
  EXPECT_EQ(samples.at("_9lives"), 9);
}

TEST(Metrics, NumbersBeyondTheFiniteHaveTheirNames) {
  MetricsRegistry registry;
  registry.gauge("high", "H.").set(std::numeric_limits<double>::infinity());
  registry.gauge("low", "L.").set(-std::numeric_limits<double>::infinity());
  registry.gauge("none", "N.").set(std::numeric_limits<double>::quiet_NaN());

  EXPECT_THAT(registry.expose(), HasSubstr("\nhigh +Inf\n"));
  EXPECT_THAT(registry.expose(), HasSubstr("\nlow -Inf\n"));
  EXPECT_THAT(registry.expose(), HasSubstr("\nnone NaN\n"));
}

TEST(Metrics, OpenMetricsNamesCountersWithoutTheirSuffixAndEnds) {
  MetricsRegistry registry;
  registry.counter("orders_total", "Orders.").add(5);

  const auto text = registry.expose(true);

  EXPECT_EQ(text, "# HELP orders Orders.\n# TYPE orders counter\norders_total 5\n# EOF\n");
  EXPECT_THAT(registry.expose(), Not(HasSubstr("# EOF")));
}

TEST(Metrics, HistogramBucketsGrowToTheCount) {
  MetricsRegistry registry;
  auto& histogram = registry.histogram("latency_seconds", "Latency.", {{"op", "get"}});
  for (int i = 0; i < 10; ++i) histogram.record(std::chrono::microseconds(100));
  histogram.record(std::chrono::hours(10));

  const auto text = registry.expose();
  const auto samples = parse(text);

  EXPECT_EQ(samples.at(R"(latency_seconds_bucket{op="get",le="+Inf"})"), 11);
  EXPECT_EQ(samples.at(R"(latency_seconds_count{op="get"})"), 11);
  EXPECT_NEAR(samples.at(R"(latency_seconds_sum{op="get"})"), 36000.001, 1e-6);
  double before = 0;
  std::size_t at = 0;
  while ((at = text.find("_bucket", at + 1)) != std::string::npos) {
    const double value = std::stod(text.substr(text.find("} ", at) + 2));
    EXPECT_GE(value, before);
    before = value;
  }
}

TEST(Metrics, QuantilesAreWithinAnEighthOfTheTruth) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 1000; ++i) histogram.record(std::chrono::microseconds(10 * i));

  EXPECT_NEAR(histogram.quantile_seconds(0.5), 0.005, 0.005 / 8);
  EXPECT_NEAR(histogram.quantile_seconds(0.99), 0.0099, 0.0099 / 8);
  EXPECT_GE(histogram.quantile_seconds(1), 0.01);
  EXPECT_EQ(LatencyHistogram().quantile_seconds(0.5), 0);
}

TEST(Metrics, EveryDurationLiesAtOrBelowTheBoundOfItsBucketAndAboveTheOneBefore) {
  for (std::uint64_t ns = 1; ns < (std::uint64_t{1} << 41); ns = ns * 9 / 8 + 1) {
    LatencyHistogram histogram;
    histogram.record(std::chrono::nanoseconds(ns));
    int bucket = 0;
    while (histogram.bucket(bucket) == 0) ++bucket;
    const double seconds = static_cast<double>(ns) * 1e-9;
    EXPECT_LE(seconds, LatencyHistogram::upper_bound_seconds(bucket) * (1 + 1e-12));
    if (bucket > 0) {
      EXPECT_GT(seconds, LatencyHistogram::upper_bound_seconds(bucket - 1) * (1 - 1e-12));
    }
  }
}

}  // namespace
}  // namespace thalweg::testing
