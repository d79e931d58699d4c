#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <thalweg/topology/streams_builder.h>

#include "topology/topology_world.h"

namespace thalweg::testing {

// Joiners that show who met whom.
inline std::string both(const std::string& left, const std::string& right) {
  return left + "+" + right;
}
inline std::string left_at_least(const std::string& left, const std::string* right) {
  return left + "+" + (right ? *right : "-");
}
inline std::string either_one(const std::optional<std::string>& left,
                              const std::optional<std::string>& right) {
  return left.value_or("-") + "+" + right.value_or("-");
}
inline JoinWindows within(std::chrono::milliseconds difference,
                          std::chrono::milliseconds grace = std::chrono::milliseconds(0)) {
  return JoinWindows::of_time_difference_and_grace(difference, grace);
}

/// Two streams, "left" and "right", whose join goes to "out". The topology is built when the first
/// record comes.
class StreamJoinWorld : public ::testing::Test {
 protected:
  using Text = std::string;
  using MaybeText = std::optional<std::string>;

  TopologyWorld& world() {
    if (!world_) {
      world_ = std::make_unique<TopologyWorld>(builder_.build({.optimization = optimization_}),
                                               options_);
    }
    return *world_;
  }
  void on_left(const MaybeText& key, const MaybeText& value, std::int64_t time,
               const Headers& headers = {}) {
    world().pipe<Text, Text>("left", key, value, time, headers);
  }
  void on_right(const MaybeText& key, const MaybeText& value, std::int64_t time,
                const Headers& headers = {}) {
    world().pipe<Text, Text>("right", key, value, time, headers);
  }
  std::vector<Out<Text, Text>> out() { return world().drain<Text, Text>("out"); }

  StreamsBuilder builder_;
  Text optimization_ = "none";
  TopologyWorld::Options options_;
  std::unique_ptr<TopologyWorld> world_;
};

}  // namespace thalweg::testing
