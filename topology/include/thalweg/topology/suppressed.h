#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace thalweg {

/// What suppress() does when its buffer is full.
enum class BufferFull : std::uint8_t {
  kShutDown,   ///< Stop the application: no result is ever emitted before its time.
  kEmitEarly,  ///< Emit the oldest results before their time.
};

/// The buffer of suppress(): without limits, unless some are set.
struct BufferConfig {
  std::optional<std::uint64_t> max_records = {};
  /// By Kafka Streams' estimate: serialised keys and values, and what is kept of their records.
  std::optional<std::uint64_t> max_bytes = {};
  BufferFull when_full = BufferFull::kShutDown;
  bool logging = true;  ///< Whether the buffer has a changelog; without one a restart forgets it.
  std::vector<std::pair<std::string, std::string>> changelog_config = {};
};

/// What KTable::suppress() holds back, and for how long. Time moves on only with the records that
/// reach the operator.
class Suppressed {
 public:
  /// Each window's results until it closes: then the final one passes on, deletions not. Only for
  /// tables of windowed keys; the grace is that of the aggregation they come from. Throws
  /// std::invalid_argument for a buffer that emits early, whose results would not be final.
  static Suppressed until_window_closes(BufferConfig buffer = {}, std::string name = {});
  /// Each key's changes for `wait` from the first on: then the last one passes on.
  static Suppressed until_time_limit(std::chrono::milliseconds wait, BufferConfig buffer = {},
                                     std::string name = {});

  const std::string& name() const { return name_; }
  const BufferConfig& buffer() const { return buffer_; }
  /// None: until the window closes.
  const std::optional<std::chrono::milliseconds>& wait() const { return wait_; }

 private:
  Suppressed(std::optional<std::chrono::milliseconds> wait, BufferConfig buffer, std::string name)
      : wait_(wait), buffer_(std::move(buffer)), name_(std::move(name)) {}

  std::optional<std::chrono::milliseconds> wait_;
  BufferConfig buffer_;
  std::string name_;
};

}  // namespace thalweg
