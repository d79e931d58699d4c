#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <thalweg/schemas/bytes.h>
#include <thalweg/schemas/timestamp.h>

namespace thalweg::internal {

/// How windowed entries lie in a table: `prefix | key as on the changelog`, where the prefix is the
/// start of the entry's segment, so that a segment is one range of keys and can be dropped as one.
///
/// Keys on the changelog are those of Kafka Streams, integers in network order: of a window `key |
/// i64 start | i32 sequence`, of a session `key | i64 end | i64 start`.
struct Segments {
  /// What follows the user's key: the times of a window or a session; nothing in rows of versions.
  enum class Keys : std::uint8_t { kWindow, kSession, kVersions };
  static constexpr std::size_t kPrefixSize = sizeof(std::int64_t);

  Keys keys = Keys::kWindow;
  std::int64_t retention = 0;  ///< In milliseconds, as all times here.
  std::int64_t interval = 1;
  /// The prefix is the entry's own time: entries lie in order of time, then of key.
  bool by_time = false;
  /// Entries expire one by one, not with their segment.
  bool exact_expiry = false;

  std::int64_t segment_of(std::int64_t time) const {
    return time <= 0 ? 0 : time - time % interval;
  }
  /// What stands in front of an entry of that time.
  std::int64_t prefix_of(std::int64_t time) const {
    return by_time ? (time <= 0 ? 0 : time) : segment_of(time);
  }
  /// Everything in segments before this one has expired.
  std::int64_t first_segment(Timestamp stream_time) const {
    return segment_of(to_millis(stream_time) - retention);
  }
  /// What is older can no longer be read. In order of time it is a millisecond more, so that a
  /// window may be emitted as it closes.
  std::int64_t first_readable(Timestamp stream_time) const {
    return to_millis(stream_time) - retention + (by_time ? 0 : 1);
  }
  /// Whether an entry of that time is still worth keeping.
  bool is_live(std::int64_t time, Timestamp stream_time) const {
    return exact_expiry ? time >= first_readable(stream_time)
                        : segment_of(time) >= first_segment(stream_time);
  }

  std::size_t suffix_size() const {
    return keys == Keys::kVersions ? 0 : keys == Keys::kWindow ? 12 : 16;
  }
  // The following read a key as on the changelog, which must have at least suffix_size() bytes and
  // a time, so not one of versions;
  // a stored key is read the same way, but for key_of().
  /// By which it belongs to a segment: a window's start, a session's end.
  std::int64_t time_of(BytesView key) const;
  /// Only of a session.
  std::int64_t start_of(BytesView key) const;
  /// Only of a window.
  std::int32_t sequence_of(BytesView key) const;
  /// The user's key, of a key as on the changelog.
  BytesView key_of(BytesView key) const { return key.substr(0, key.size() - suffix_size()); }

  /// Makes the stored key of a key as on the changelog; throws SerdeError if that is too short.
  void append_stored(BytesView changelog_key, std::string& out) const;
  static void append_prefix(std::int64_t prefix, std::string& out);
  /// What a stored key begins with.
  static std::int64_t prefix_in(BytesView stored_key);
};

}  // namespace thalweg::internal
