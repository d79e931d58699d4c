#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <thalweg/runtime/log.h>
#include <thalweg/state/state_store.h>

/// What processes of an application ask each other over HTTP, and how answers look: one partition
/// of a store as bytes, and how far a task has come. For programs of the same version alone.
namespace thalweg::internal {

inline constexpr const char* kPeerViewPattern =
    "/v1/views/{store}/{partition}?application&key&from&to&reverse&limit";
inline constexpr const char* kPeerPositionPattern =
    "/v1/positions/{topic}/{partition}?application&passed";

/// One row: `key=`; many: `from=`, `to=`, `reverse=`, `limit=`. Keys are Base64.
std::string peer_get_target(std::string_view application, std::string_view store,
                            std::int32_t partition, BytesView key);
std::string peer_scan_target(std::string_view application, std::string_view store,
                             std::int32_t partition, const StoreView::Scan& scan);
/// Answered, with the committed position, once the record at `passed` is processed.
std::string peer_position_target(std::string_view application, const TopicPartition& input,
                                 Offset passed);

/// Rows as the body of an answer.
void append_peer_row(const StoredEntry& row, std::string& out);
/// Goes with rows of windows: StoreView::first_readable() of the view that they are from, in
/// milliseconds.
inline constexpr const char* kFirstReadableHeader = "X-First-Readable";
/// Nothing when the bytes are no rows.
std::optional<std::vector<StoredEntry>> read_peer_rows(std::string_view body);

/// Text as a part of a path or of a query.
std::string percent_encoded(std::string_view text);

}  // namespace thalweg::internal
