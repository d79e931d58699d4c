#pragma once

#include <string>

#include <thalweg/runtime/streams_application.h>

namespace thalweg::bench {

/// Reads random keys of the store "counts" from so many threads for a while, and tells as members
/// of a JSON object, each beginning with `tag`: reads per second, the share that found a row, and
/// how long a read took (in tenths of microseconds, up to 10 ms).
std::string measure_reads(const StreamsApplication& application, int threads, double seconds,
                          const std::string& tag);

}  // namespace thalweg::bench
