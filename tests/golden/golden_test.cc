// Topologies run here and by Kafka Streams, with the same results: everything that can be observed,
// record for record and byte for byte. What may differ, and what is not built yet, is listed in
// allowed_differences.cc.

#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "golden/allowed_differences.h"
#include "golden/recordings.h"
#include "golden/spec_comparison.h"
#include "golden/spec_runner.h"

namespace thalweg::golden {
namespace {

namespace json = boost::json;

/// What running the recordings of one name showed.
struct Tally {
  std::size_t compared = 0;
  std::map<std::string, std::size_t> not_built = {};  // Specs by the first statement missing.
  std::map<std::string_view, std::size_t> allowed = {};
  std::string refused = {};  // The first few differences that nothing allows.
  std::size_t refusals = 0;
};

const AllowedDifference* allowance(const json::object& spec, const Difference& difference) {
  const auto found = std::ranges::find_if(
      allowed_differences(), [&](const AllowedDifference& allowed) {
        return allowed.section == difference.section && allowed.applies(spec, difference);
      });
  return found == allowed_differences().end() ? nullptr : &*found;
}

void compare_one(const Recording& recording, Tally& tally) {
  constexpr std::size_t kShown = 10;
  const json::object result = run_spec(recording.spec);
  if (const std::string missing = not_built(result); !missing.empty()) {
    ++tally.not_built[missing];
    return;
  }
  ++tally.compared;
  for (const Difference& difference : compare(recording.result, result)) {
    if (const auto* allowed = allowance(recording.spec, difference)) {
      ++tally.allowed[allowed->reason];
    } else if (++tally.refusals <= kShown) {
      tally.refused += "\n" + std::string(recording.spec.at("id").as_string()) + ": " +
                       difference.section + ": " + difference.where;
    }
  }
}

void print(const std::string& name, const Tally& tally) {
  std::cout << name << ": " << tally.compared << " specs compared\n";
  for (const auto& [statement, count] : tally.not_built) {
    std::cout << "  not compared: " << count << " specs, not built: " << statement << "\n";
  }
  for (const auto& [reason, count] : tally.allowed) {
    std::cout << "  allowed: " << count << " differences, " << reason << "\n";
  }
}

class Golden : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { spdlog::set_level(spdlog::level::off); }
};

TEST_P(Golden, GivesWhatKafkaStreamsGives) {
  Tally tally;
  for (const Recording& recording : recordings(GetParam())) compare_one(recording, tally);
  print(GetParam(), tally);
  EXPECT_GT(tally.compared, 0u);
  EXPECT_EQ(tally.refusals, 0u) << "differences that nothing allows" << tally.refused;
}

INSTANTIATE_TEST_SUITE_P(Recordings, Golden, testing::ValuesIn(recording_names()),
                         [](const auto& name) { return name.param; });

TEST(GoldenRecordings, AreTwoThousandAndMore) {
  std::size_t count = 0;
  for (const std::string& name : recording_names()) count += recordings(name).size();
  EXPECT_GE(count, 2000u + 85u);
}

TEST(GoldenRecordings, NeedNothingThatIsNotBuiltButWhatIsListed) {
  std::set<std::string> missing;
  for (const std::string& name : recording_names()) {
    for (const Recording& recording : recordings(name)) {
      json::object plan = recording.spec;
      plan["input"] = nullptr;  // Building shows it.
      if (std::string what = not_built(run_spec(plan)); !what.empty()) missing.insert(what);
    }
  }
  const auto listed = statements_not_built();
  EXPECT_THAT(missing, testing::UnorderedElementsAreArray(listed.begin(), listed.end()))
      << "what is listed and not found here works now: strike it out";
}

}  // namespace
}  // namespace thalweg::golden
