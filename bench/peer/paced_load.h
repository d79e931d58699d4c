#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace thalweg::bench {

struct LoadPhase {
  double rate = 0;  ///< Records per second offered, whatever comes out.
  double seconds = 0;
  bool counted = true;  ///< Its latencies count; false: others have to get warm first.
};

struct PacedLoad {
  std::string input;
  std::string output;
  /// Orders, which come out as they went in, stamped; or amounts, of which counts come out.
  bool orders = true;
  std::vector<LoadPhase> phases;
};

struct PacedResult {
  std::int64_t sent = 0;
  std::int64_t received = 0;  ///< With what came out twice.
  /// Records that went in and are in nothing that came out: for orders each is looked for, for
  /// amounts the last count of its key says how many there were.
  std::int64_t lost = 0;
  std::int64_t extra = 0;  ///< Counts of amounts that did not go in, or not so often.
  /// Of the counted phases' orders in milliseconds, ascending: from the time at which an order was
  /// due to be sent until a reader of what is committed had it.
  std::vector<double> latencies_ms;
  /// The longest time in which nothing came out of some partition while records went in.
  double longest_gap_s = 0;
  double gap_began_s = 0;  ///< After the first record.
};

/// Offers records to `input` at a steady pace and reads `output` in the meantime, until as many
/// are in what came out as went in and nothing more comes, or nothing has come for a minute. Throws
/// std::runtime_error where the brokers did not take a record.
PacedResult offer(const std::string& bootstrap, const PacedLoad& load);

}  // namespace thalweg::bench
