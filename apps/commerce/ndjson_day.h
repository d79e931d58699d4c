#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_set.hpp>

#include <thalweg/schemas/error.h>

namespace thalweg::shop {

/// The files of one day: `NNNNNN.ndjson` in a directory of their own, numbered from 1 on, of which
/// the last one grows. A file that has a successor is complete.
///
/// Knows which orders are in them by 64 bits of a digest of their ids, about 16 bytes of memory
/// for each: among a hundred million orders of a day, the chance that two are taken for the same is
/// one in four thousand.
///
/// Used by one thread, while it holds the lock that keeps all others from these files, in rounds of
/// look(), add()..., sync(). After an error, from any of them, it is to be thrown away: what it
/// knows may not be what is there.
class NdjsonDay {
 public:
  NdjsonDay(std::filesystem::path directory, std::uint64_t bytes_max);
  ~NdjsonDay();
  NdjsonDay(const NdjsonDay&) = delete;
  NdjsonDay& operator=(const NdjsonDay&) = delete;

  /// Learns what the files have gained since the last round, from whoever. Makes the directory, and
  /// cuts off what a crash has left of a line at the end.
  Status look();
  /// Adds a line unless the order is there. `json` has the id as its `orderId`, so that later
  /// rounds find it.
  Status add(std::string_view order_id, std::string_view json);
  /// Returns once everything is durable, what others wrote included: who wrote a line and died
  /// before it was durable has not.
  Status sync();

 private:
  Status open(std::uint64_t number);
  Status read_gained();
  void learn_lines(std::string& text);
  void learn(std::string_view line);
  Status write_lines();
  Status end_file();
  Status sync_file();
  void close();
  std::filesystem::path path_of(std::uint64_t number) const;
  Status fault(const std::filesystem::path& path, int error) const;

  const std::filesystem::path directory_;
  const std::uint64_t bytes_max_;
  boost::unordered_flat_set<std::uint64_t> known_;
  std::uint64_t number_ = 0;  // Of the file that grows; 0: nobody has looked yet.
  int file_ = -1;             // Open during a round.
  std::uint64_t size_ = 0;    // Of that file, as far as it is known.
  std::uint64_t kept_ = 0;    // The part of it that is kept when this round fails.
  std::string lines_;         // To be written behind that.
  bool is_durable_ = true;    // All of size_ is.
};

}  // namespace thalweg::shop
