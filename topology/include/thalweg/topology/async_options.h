#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace thalweg {

/// How map_async() calls the outside. Times are those of the application's clock.
struct AsyncOptions {
  std::string name = {};
  /// In which records wait for their calls; empty: a generated name.
  std::string store = {};
  /// How many calls one task has under way at most.
  std::size_t max_in_flight = 64;
  /// An attempt without an answer for so long has failed.
  std::chrono::milliseconds timeout = std::chrono::seconds(5);
  /// How long after a failed attempt the next one begins. When all have failed, one more than there
  /// are pauses here, the record is given up.
  std::vector<std::chrono::milliseconds> retry_after = {
      std::chrono::seconds(1), std::chrono::seconds(2), std::chrono::seconds(4),
      std::chrono::seconds(8)};
  /// Each pause grows by up to this part of itself, so that what failed together does not come back
  /// together; by how much depends on nothing but the record's number and the attempt.
  double jitter = 0.1;
};

}  // namespace thalweg
