#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <thalweg/schemas/timestamp.h>

namespace thalweg::internal {

/// Numbers that processors keep across restarts, by key.
using ProcessorMetadata = std::map<std::string, std::int64_t, std::less<>>;

/// The metadata that Kafka Streams stores with a committed offset: base64 of a version byte, the
/// partition's time (8 bytes, big-endian) and what processors keep, the same with every partition
/// of a task.
std::string encode_partition_time(Timestamp partition_time,
                                  const ProcessorMetadata& processors = {});
/// kNoTimestamp for anything unreadable: the time is then found anew, as Kafka Streams does.
Timestamp decode_partition_time(std::string_view metadata);
/// As far as it is readable.
ProcessorMetadata decode_processor_metadata(std::string_view metadata);

}  // namespace thalweg::internal
