#pragma once

#include <string>
#include <utility>

#include <thalweg/state/change_buffer.h>

namespace thalweg::internal {

/// Appends a change and its time in version 3 of Kafka Streams' format.
void encode_change(const ChangeBuffer::Change& change, Timestamp time, std::string& out);
/// Reads what encode_change() wrote; throws SerdeError on anything else.
std::pair<Timestamp, ChangeBuffer::Change> decode_change(BytesView bytes);

}  // namespace thalweg::internal
