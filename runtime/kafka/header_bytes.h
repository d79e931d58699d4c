#pragma once

#include <string>

#include "kafka/rd_handles.h"

namespace thalweg::internal {

/// The headers of a message as Headers::encode() writes them; empty when it has none.
std::string encoded_headers(const rd_kafka_message_t& message);

/// The other way round. Throws SerdeError for bytes that Headers::encode() has not written.
rd_kafka_headers_t* decoded_headers(BytesView encoded);

}  // namespace thalweg::internal
