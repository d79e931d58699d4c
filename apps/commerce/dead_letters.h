#pragma once

#include <cstdint>
#include <string>

#include <thalweg/schemas/headers.h>
#include <thalweg/schemas/record.h>

namespace thalweg::shop {

/// Where a record was read first.
struct RecordOrigin {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
};

inline RecordOrigin origin_of(const RecordMetadata& record) {
  return {std::string(record.topic), record.partition, record.offset};
}

/// The exception of what was read and could not be delivered.
inline constexpr const char* kDeliveryError = "DeliveryError";

/// Adds what a dead letter says of itself, in headers named as in KIP-1034.
inline void add_error_headers(Headers& headers, std::string exception, std::string message,
                              const RecordOrigin& origin) {
  headers.add("__streams.errors.exception", std::move(exception));
  headers.add("__streams.errors.message", std::move(message));
  headers.add("__streams.errors.topic", origin.topic);
  headers.add("__streams.errors.partition", std::to_string(origin.partition));
  headers.add("__streams.errors.offset", std::to_string(origin.offset));
}

}  // namespace thalweg::shop
