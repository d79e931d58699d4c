#include "views_topology.h"

#include <algorithm>
#include <optional>

#include <thalweg/topology/streams_builder.h>
#include <thalweg/topology/time_windowed_kstream.h>

#include "model.h"
#include "product_table.h"
#include "public_input.h"
#include "rank_index.h"
#include "raw_view_keeper.h"
#include "topics.h"
#include "trend_keeper.h"
#include "view_model.h"
#include "view_windows.h"

namespace thalweg::shop {
namespace {

using Id = std::string;
using MaybeId = std::optional<Id>;
using Views = KStream<MaybeId, View>;
using Viewers = KStream<Id, View>;
using std::chrono::hours;
using std::chrono::minutes;

bool has_email(const View& view) { return !view.email.empty(); }
bool has_segment(const View& view) { return view.age >= 0 && !view.gender.empty(); }

/// The views by product. Our own come that way; those of others may have any key, or none.
Views views_by_product(StreamsBuilder& builder, const ShopConfig& config) {
  // A view is as old as it says, and never younger than its record.
  const auto time_of = [times = TimeOfOthers(config)](const MaybeId&, const View& view,
                                                      Timestamp record_time, Timestamp) {
    return times.checked(view.at > 0 ? std::min(from_millis(view.at), record_time) : record_time);
  };
  const auto views = builder.stream<MaybeId, View>(
      topics::kViewLog,
      {.value_serde = AnySerde<View>(PublicViewSerde{}), .timestamp_extractor = time_of});
  const auto is_keyed = [](const MaybeId& key, const View& view) { return key == view.product_id; };
  return views.filter(is_keyed, {.name = "views-of-their-key"})
      .merge(
          views.filter_not(is_keyed, {.name = "views-of-other-keys"})
              .select_key([](const MaybeId&, const View& view) { return MaybeId(view.product_id); },
                          {.name = "key-by-product"})
              .repartition({.name = "views-by-product"}),
          {.name = "views-by-product"});
}

void count_windows(StreamsBuilder& builder, const Views& views, const ViewWindow& window) {
  const std::string name(window.name);
  const auto counts = views.group_by_key()
                          .windowed_by(TimeWindows::of_size_and_grace(window.size, window.grace))
                          .late_records_to(topics::kViewLogLate,
                                           {.name = "late-for-" + name,
                                            .value_serde = AnySerde<View>(LateViewSerde{name})})
                          .count({.name = "count-views-of-" + name,
                                  .store = window.counts,
                                  .retention = window.counts_kept});
  keep_ranked(builder,
              counts.to_stream().map(
                  [](const Windowed<Id>& id, const std::optional<std::int64_t>& count) {
                    return std::pair(Place{window_list(id.window.start), id.key}, count);
                  },
                  {.name = "places-of-" + name}),
              window.popular, window.popular_kept);
}

void keep_trend(StreamsBuilder& builder, const Views& views) {
  const auto counts =
      views.group_by_key()
          .windowed_by(
              TimeWindows::of_size_and_grace(kTrendSize, minutes(5)).advance_by(kTrendAdvance))
          .count(
              {.name = "count-views-of-the-trend", .store = stores::kTrend, .retention = hours(1)});
  keep_ranked(builder,
              counts.to_stream().process([] { return std::make_unique<TrendKeeper>(); },
                                         {stores::kTrend}, {.name = "growth"}),
              stores::kTrending, hours(1));
}

/// All views of each product, with its name.
void keep_viewed_products(const Views& views, const KTable<Id, ProductInfo>& products) {
  views.group_by_key()
      .count({.name = "count-views", .store = "views"})
      .left_join(products,
                 [](std::int64_t count, const ProductInfo* product) {
                   return ViewedProduct{product ? product->name : "", count};
                 },
                 {.name = "views-with-products", .store = stores::kViewedProducts});
}

/// With so many it is no longer anybody's own.
constexpr std::size_t kUsersOfOneEmail = 20;

void forget_other(User& row, const std::string& id) {
  std::erase_if(row.others, [&](const User& other) { return other.id == id; });
}

/// Whoever says last that the e-mail is theirs has the row.
User with_user(User row, User user) {
  forget_other(row, user.id);
  user.others = std::move(row.others);
  row.others.clear();
  if (row.id != user.id && !row.id.empty()) user.others.push_back(std::move(row));
  if (user.others.size() > kUsersOfOneEmail) user.others.erase(user.others.begin());
  return user;
}

/// Then it is whose it was before, if there is one. Rows of before there were ids are anybody's.
std::optional<User> without_user(User row, const User& user) {
  if (row.id != user.id && !row.id.empty()) {
    forget_other(row, user.id);
    return row;
  }
  if (row.others.empty()) return {};
  User next = std::move(row.others.back());
  row.others.pop_back();
  next.others = std::move(row.others);
  return next;
}

/// The views of those of whom something is known, by their e-mail; what the view does not say the
/// table of users knows. Those without an e-mail that name a segment all the same come by product.
Viewers views_by_viewer(StreamsBuilder& builder, const Views& views) {
  const auto users =
      builder.table<Id, User>(topics::kUsers, {}, {.store = stores::kUsersOfViews})
          .group_by(
              [](const Id& id, User user) {
                user.id = id;
                return std::pair(user.email.empty() ? MaybeId() : MaybeId(user.email), user);
              },
              {.name = "users-by-email"})
          .reduce(with_user, without_user, {.name = "keep-users", .store = stores::kUsersByEmail});
  return views
      .filter([](const MaybeId&, const View& view) { return has_email(view) || has_segment(view); },
              {.name = "views-of-known-viewers"})
      .select_key([](const MaybeId&,
                     const View& view) { return has_email(view) ? view.email : view.product_id; },
                  {.name = "key-by-viewer"})
      .repartition({.name = "views-by-viewer"})
      .left_join(users,
                 [](View view, const User* user) {
                   if (user && view.age < 0) view.age = user->age;
                   if (user && view.gender.empty()) view.gender = user->gender;
                   return view;
                 },
                 {.name = "views-with-users"});
}

void count_segments(StreamsBuilder& builder, const Viewers& views) {
  const auto counts =
      views
          .filter([](const Id&, const View& view) { return has_segment(view); },
                  {.name = "views-of-segments"})
          .map(
              [](const Id&, const View& view) {
                return std::pair(segment_of(view.age, view.gender) + "\n" + view.product_id, true);
              },
              {.name = "key-by-segment"})
          .group_by_key({.name = "views-by-segment"})
          .windowed_by(TimeWindows::of_size_and_grace(kSegmentWindow, hours(6)))
          .count({.name = "count-views-of-segments", .store = stores::kViewsBySegment});
  keep_ranked(builder,
              counts.to_stream().map(
                  [](const Windowed<Id>& id, const std::optional<std::int64_t>& count) {
                    const auto line = id.key.find('\n');
                    return std::pair(Place{segment_list(id.window.start, id.key.substr(0, line)),
                                           id.key.substr(line + 1)},
                                     count);
                  },
                  {.name = "places-of-segments"}),
              stores::kPopularBySegment, hours(8 * 24));
}

/// Sessions are not cached: each step tells which products it brought together.
void keep_sessions(StreamsBuilder& builder, const Viewers& views) {
  const auto sessions =
      views
          .filter([](const Id&, const View& view) { return has_email(view); },
                  {.name = "views-of-sessions"})
          .group_by_key()
          .windowed_by(SessionWindows::of_inactivity_gap_and_grace(minutes(30), hours(1)))
          .aggregate([] { return ViewSession{}; },
                     [](const Id&, const View& view, ViewSession session) {
                       return with_view(view, std::move(session));
                     },
                     [](const Id&, ViewSession session, const ViewSession& next) {
                       return joined(std::move(session), next);
                     },
                     {.name = "keep-sessions",
                      .store = stores::kSessions,
                      .caching = false,
                      .retention = hours(24)});
  const auto together = sessions.to_stream()
                            .flat_map(
                                [](const Windowed<Id>&, const std::optional<ViewSession>& session) {
                                  std::vector<std::pair<Id, bool>> pairs;
                                  if (!session) return pairs;
                                  for (const auto& [a, b] : session->met) {
                                    pairs.emplace_back(a + "\n" + b, true);
                                    pairs.emplace_back(b + "\n" + a, true);
                                  }
                                  return pairs;
                                },
                                {.name = "products-that-met"})
                            .group_by_key({.name = "co-views"})
                            .count({.name = "count-co-views", .store = "co-views"});
  keep_ranked(builder,
              together.to_stream().map(
                  [](const Id& pair, const std::optional<std::int64_t>& count) {
                    const auto line = pair.find('\n');
                    return std::pair(Place{pair.substr(0, line), pair.substr(line + 1)}, count);
                  },
                  {.name = "places-of-co-views"}),
              stores::kCoViewed);
}

}  // namespace

std::string segment_list(Timestamp day, std::string_view segment) {
  return window_list(day) + "/" + std::string(segment);
}

Topology build_views(const ShopConfig& config) {
  StreamsBuilder builder;
  const auto products = product_table(builder, stores::kProductsOfViews, config);
  const auto views = views_by_product(builder, config);
  for (const auto& window : kViewWindows) count_windows(builder, views, window);
  keep_raw_views(builder, views, stores::kRawViews);
  keep_trend(builder, views);
  keep_viewed_products(views, products);
  const auto viewers = views_by_viewer(builder, views);
  count_segments(builder, viewers);
  keep_sessions(builder, viewers);
  return builder.build();
}

}  // namespace thalweg::shop
