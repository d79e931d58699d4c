// Whatever a file, a flag or the environment says: a configuration or a ConfigError, nothing else.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <thalweg/runtime/nearest_name.h>
#include <thalweg/runtime/streams_config.h>

namespace thalweg {
namespace {

// Pieces that TOML gives a meaning to, so that texts get past the first characters.
rc::Gen<std::string> toml_like() {
  const auto piece = rc::gen::oneOf(
      rc::gen::element<std::string>(
          "[", "]", "[[", "]]", "{", "}", "=", ".", ",", "\"", "'", "\"\"\"", "'''", "\n", "\r\n",
          "#", "\\u", "\\", " ", "\t", "-", "+", "_", "0x", "1e9", "inf", "nan", "true",
          "2020-01-01T00:00:00Z", "num.stream.threads", "commit.interval.ms", "consumer.", "3"),
      rc::gen::string<std::string>());
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece),
                      [](const std::vector<std::string>& pieces) {
                        std::string text;
                        for (const auto& part : pieces) text += part;
                        return text;
                      });
}

// True when the work ended as it may.
template <typename Work>
bool ends_well(Work work) {
  try {
    work();
  } catch (const ConfigError& error) {
    return !std::string_view(error.what()).empty();
  }
  return true;
}

RC_GTEST_PROP(ConfigFuzz, AnyTextIsAConfigurationOrAFault, ()) {
  const auto text = *toml_like();

  RC_ASSERT(ends_well([&] { StreamsConfigBuilder().from_toml(text, "fuzz").build(); }));
}

RC_GTEST_PROP(ConfigFuzz, AnyValueOfAnyKeyIsTakenOrAFault, ()) {
  const auto key = *rc::gen::elementOf(StreamsConfigBuilder::keys());
  const auto value =
      *rc::gen::oneOf(rc::gen::string<std::string>(),
                      rc::gen::map(rc::gen::arbitrary<std::int64_t>(),
                                   [](std::int64_t n) { return std::to_string(n); }));

  RC_ASSERT(ends_well([&] { StreamsConfigBuilder().set(key.name, value, "fuzz").effective(); }));
}

RC_GTEST_PROP(ConfigFuzz, AnyKeyIsTakenOrAFaultThatNamesAKnownOne, (const std::string& key)) {
  RC_ASSERT(ends_well([&] { StreamsConfigBuilder().set(key, "1", "fuzz").build(); }));
}

RC_GTEST_PROP(ConfigFuzz, NestedBracketsOfAnyDepthAreRead, ()) {
  const auto depth = *rc::gen::inRange<std::size_t>(0, 100'000);

  RC_ASSERT(ends_well(
      [&] { StreamsConfigBuilder().from_toml("a = " + std::string(depth, '['), "fuzz"); }));
}

RC_GTEST_PROP(EditDistanceLaws, IsSymmetricAndZeroOnlyForEqualTexts,
              (const std::string& from, const std::string& to)) {
  const auto there = edit_distance(from, to);

  RC_ASSERT(there == edit_distance(to, from));
  RC_ASSERT((there == 0) == (from == to));
  RC_ASSERT(there <= std::max(from.size(), to.size()));
}

}  // namespace
}  // namespace thalweg
