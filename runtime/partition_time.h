#pragma once

#include <string>
#include <string_view>

#include <thalweg/schemas/timestamp.h>

namespace thalweg::internal {

/// The metadata that Kafka Streams stores with a committed offset: base64 of a version byte and the
/// partition's time (8 bytes, big-endian).
std::string encode_partition_time(Timestamp partition_time);
/// kNoTimestamp for anything unreadable: the time is then found anew, as Kafka Streams does.
Timestamp decode_partition_time(std::string_view metadata);

}  // namespace thalweg::internal
