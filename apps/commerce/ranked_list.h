#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <thalweg/runtime/streams_application.h>

// Reads the lists that rank_index.h keeps sorted, over all partitions.
namespace thalweg::shop {

struct Ranked {
  std::string member;
  std::int64_t score = 0;

  friend bool operator==(const Ranked&, const Ranked&) = default;
};

struct RankedList {
  std::vector<Ranked> members;
  CommitSequence commit = 0;  ///< What must be durable before anyone sees it.
};

/// The first `n` of a list; equal scores by member. kUnavailable: not all of it is restored here.
Result<RankedList> first_of(const StreamsApplication& keeper, const char* store,
                            std::string_view list, std::size_t n);

struct Standing {
  std::optional<std::int64_t> rank;  ///< From 1 on; none for whoever is not in the list.
  std::int64_t score = 0;
  CommitSequence commit = 0;
};

/// Where `member` stands; walks over those that stand before it.
Result<Standing> standing_of(const StreamsApplication& keeper, const char* store,
                             std::string_view list, std::string_view member);

}  // namespace thalweg::shop
