#pragma once

#include <stop_token>
#include <string>

#include <thalweg/runtime/streams_application.h>

namespace thalweg::bench {

struct ReadsSeen {
  /// Members of a JSON object, each beginning with the tag: reads per second, the share that found
  /// a row, and how long a read took (in tenths of microseconds, up to 10 ms).
  std::string members;
  double hit_rate = 0;
  double seconds = 0;  ///< For which there were reads.
};

/// Reads random keys of the store "counts" from so many threads for a while, or until `stop`.
ReadsSeen measure_reads(const StreamsApplication& application, int threads, double seconds,
                        const std::string& tag, const std::stop_token& stop = {});

}  // namespace thalweg::bench
