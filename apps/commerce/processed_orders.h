#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <thalweg/schemas/json.h>
#include <thalweg/topology/streams_builder.h>

namespace thalweg::shop {

/// What is wrong with a record about an order; empty: it is JSON with the record's key as orderId.
std::string order_fault(const std::optional<std::string>& key, const std::string& json);

/// The day (UTC, `2026-11-22`) that an order was processed: of its `processedAt`, or of its record
/// if it does not say when.
std::string day_of(const std::string& json, Timestamp record_time);

/// Keeps what `order.processed` says of each order in the store `data-order-processed`, for so long
/// by the application's clock; then the row is deleted, from the changelog too. The first record of
/// an order counts, as long as it is kept. What is no order goes to `order.processed.dlq`.
/// Returns the records that count.
KStream<std::optional<std::string>, Bytes> keep_processed_orders(
    StreamsBuilder& builder, std::chrono::milliseconds time_to_live,
    std::chrono::milliseconds resolution);

}  // namespace thalweg::shop
