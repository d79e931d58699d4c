#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "delivery_model.h"

namespace thalweg::shop {

/// An order as a line of a file.
struct NdjsonLine {
  std::string day;       ///< 2026-11-22
  std::string order_id;  ///< What `json` says too, as its orderId.
  std::string json;      ///< One JSON object; its line breaks become spaces.
  /// Called once: the line is durable, or why it is not.
  std::move_only_function<void(std::expected<void, std::string>)> done;
};

/// Orders in files for other programs to read: `DIRECTORY/date=2026-11-22/000001.ndjson`, one line
/// of JSON each. A file that would grow beyond `bytes_max` is followed by the next one, and does
/// not change any more; only a line that is longer makes a file longer. Days and files are made
/// when they are needed, the directory too.
///
/// - A line is durable when it is answered for. One thread writes all that wait at a time, and
///   syncs once: the more wait, the less each costs.
/// - Each order is written once for its day, however often it is added, after a crash too. That
///   holds for what is in the directory: files that somebody takes away are forgotten, and only
///   those that have a successor may be.
/// - Several processes may write to one directory. Each takes the lock of the file `.lock` (flock)
///   for what it writes at a time, and reads first what others have added.
/// - A full disk, missing rights and all else that the system refuses is an error of the lines
///   concerned, of which then none is there in part; the next ones find the files as they are.
/// - The files of the three days used last are known by heart, at about 16 bytes for each order;
///   the others are read again when a line for them comes.
///
/// append() may be called from any thread and returns at once; the thread starts with the first.
class NdjsonFiles {
 public:
  NdjsonFiles(std::filesystem::path directory, std::uint64_t bytes_max);
  /// Lines that are being written are finished; those that wait are answered with an error.
  ~NdjsonFiles();
  NdjsonFiles(const NdjsonFiles&) = delete;
  NdjsonFiles& operator=(const NdjsonFiles&) = delete;

  void append(NdjsonLine line);
  /// How often lines were written, all that waited each time.
  std::uint64_t batches() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Deliveries to such files; their path is the day's (`/date=2026-11-22`), and anything else is
/// refused.
DeliverySend send_to_files(std::filesystem::path directory, std::uint64_t bytes_max);

}  // namespace thalweg::shop
