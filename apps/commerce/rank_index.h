#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <thalweg/topology/kstream.h>
#include <thalweg/topology/streams_builder.h>

// Lists that are kept sorted in a state store: whoever wants the first n reads n rows.
//
// A store holds any number of lists, each a text such as `all` or a time. Of each member it has two
// rows, which both hold its score: one says where it stands, the other what it stands for.
//
//     <list> \n r <score, the greatest first> \n <member>
//     <list> \n p <member>
namespace thalweg::shop {

/// A member of one of the lists.
struct Place {
  std::string list;
  std::string member;

  friend bool operator==(const Place&, const Place&) = default;
};

/// Where the rows of a list begin that are sorted by score, then by member.
std::string rank_prefix(std::string_view list);
/// Such a row's key. `score` is not negative.
std::string rank_key(std::string_view list, std::int64_t score, std::string_view member);
/// The key of the row that tells a member's score.
std::string score_key(std::string_view list, std::string_view member);
/// The member in the key of either row.
std::string_view member_of(std::string_view key);

/// The list of the window that begins then; lists of windows sort as time does.
std::string window_list(Timestamp start);

/// What retention keep_ranked() knows.
inline constexpr std::chrono::milliseconds kForever = std::chrono::milliseconds::max();

/// Keeps lists in a store named `store` as the records say: each is the score of a member now; null
/// and 0 take it from its list. Each task has the members whose records it sees: one list is what
/// all partitions hold of it together. With a retention, lists are those of windows, and forgotten
/// when stream time has left their beginning so far behind.
void keep_ranked(StreamsBuilder& builder, const KStream<Place, std::optional<std::int64_t>>& scores,
                 std::string store, std::chrono::milliseconds retention = kForever);

}  // namespace thalweg::shop
