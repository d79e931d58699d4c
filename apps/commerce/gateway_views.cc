#include <charconv>
#include <cmath>

#include <thalweg/runtime/read_only_window_store.h>

#include "gateway_context.h"
#include "query_fields.h"
#include "rank_index.h"
#include "ranked_list.h"
#include "topics.h"
#include "view_log.h"
#include "view_model.h"
#include "view_windows.h"
#include "views_topology.h"

namespace thalweg::shop {
namespace {

constexpr std::int64_t kListDefault = 10;
constexpr std::int64_t kListMax = 1000;
constexpr std::int64_t kWindowsMax = 10'000;
constexpr std::int64_t kRawDefault = 100;
constexpr std::int64_t kRawMax = 10'000;

const ViewWindow* window_named(std::string_view name) {
  const auto window = std::ranges::find(kViewWindows, name, &ViewWindow::name);
  return window == kViewWindows.end() ? nullptr : &*window;
}

std::int64_t n_of(const HttpRequest& request, Faults& faults) {
  return query_number(request, "n", kListDefault, 1, kListMax, faults);
}

/// The product's name; empty if it is not known.
Result<std::string> name_of(const ContextPtr& context, const std::string& product,
                            CommitSequence& commit) {
  const auto row = context->find<ViewedProduct>(stores::kViewedProducts, product);
  if (!row) return std::unexpected(row.error());
  commit = std::max(commit, row->commit);
  return row->row ? row->row->name : std::string();
}

/// Sends the list as an array, of which `append(rank, member, json)` writes one element's members
/// behind productId and name.
template <typename Append>
void send_list(const ContextPtr& context, Responder responder, const Result<RankedList>& list,
               Append append) {
  if (!list) return responder.send(unavailable(list.error()));
  CommitSequence commit = list->commit;
  HttpResponse response{.body = "["};
  std::int64_t rank = 0;
  for (const auto& ranked : list->members) {
    const auto name = name_of(context, ranked.member, commit);
    if (!name) return responder.send(unavailable(name.error()));
    if (rank > 0) response.body += ',';
    JsonWriter json(response.body);
    json.text("productId", ranked.member).text_or_null("name", *name);
    append(ranked, json);
    json.number("rank", ++rank).end();
  }
  response.body += ']';
  context->send_durable(commit, std::move(responder), std::move(response));
}

void append_views(const Ranked& ranked, JsonWriter& json) { json.number("views", ranked.score); }

/// `[{productId, name, views, rank}]` of the window under way, or of the one that holds `at`.
void get_popular(const ContextPtr& context, HttpRequest& request, Responder responder) {
  Faults faults;
  const auto n = n_of(request, faults);
  const auto at = query_time(request, "at", faults).value_or(context->now());
  const auto* window = window_named(request.query("window").value_or("1h"));
  if (!window) faults.push_back("window is none of 1m, 1h, 1d");
  if (!faults.empty()) return responder.send(bad_request(faults));
  const auto keeper = context->keeper(window->popular);
  if (!keeper) return responder.send(unavailable(keeper.error()));
  const auto list = window_list(from_millis(start_of_period(at, window->size)));
  send_list(context, std::move(responder),
            first_of(**keeper, window->popular, list, static_cast<std::size_t>(n)), append_views);
}

// --- The trend ------------------------------------------------------------------------------

/// With three digits behind the point.
std::string decimal(std::int64_t millionths) {
  const auto thousandths = std::llround(static_cast<double>(millionths) / 1000);
  std::string text = std::to_string(std::abs(thousandths) / 1000) + ".";
  const std::string digits = std::to_string(std::abs(thousandths) % 1000);
  text.append(3 - digits.size(), '0').append(digits);
  return thousandths < 0 ? "-" + text : text;
}

/// `[{productId, name, views, previous, growth, rank}]` of the five minutes under way.
void get_trending(const ContextPtr& context, HttpRequest& request, Responder responder) {
  Faults faults;
  const auto n = n_of(request, faults);
  const auto at = query_time(request, "at", faults).value_or(context->now());
  if (!faults.empty()) return responder.send(bad_request(faults));
  const auto keeper = context->keeper(stores::kTrending);
  if (!keeper) return responder.send(unavailable(keeper.error()));
  const auto counts = window_store<std::string, std::int64_t>(**keeper, stores::kTrend);
  if (!counts) return responder.send(unavailable(counts.error()));
  // The latest of the windows that hold the time, but for those that have just begun.
  const Timestamp start =
      from_millis(start_of_period(at, kTrendAdvance)) + kTrendAdvance - kTrendSize;
  const auto views_from = [&](const std::string& product, Timestamp from) -> std::int64_t {
    const auto found = counts->fetch(product, {.from = from, .to = from});
    return found && !found->empty() ? found->front().value : 0;
  };
  send_list(context, std::move(responder),
            first_of(**keeper, stores::kTrending, window_list(start), static_cast<std::size_t>(n)),
            [&](const Ranked& ranked, JsonWriter& json) {
              json.number("views", views_from(ranked.member, start));
              json.number("previous", views_from(ranked.member, start - kTrendSize));
              json.raw("growth", decimal(ranked.score - kNoGrowth));
            });
}

// --- One product ----------------------------------------------------------------------------

/// The finest windows of which a span has not too many.
const ViewWindow& window_for(std::chrono::milliseconds span) {
  if (span <= std::chrono::hours(3)) return kViewWindows[0];
  return span <= std::chrono::hours(7 * 24) ? kViewWindows[1] : kViewWindows[2];
}

/// A span of time, [from, to): the last hour unless the request says otherwise.
struct Span {
  std::int64_t from = 0;
  std::int64_t to = 0;
};

Span read_span(const ContextPtr& context, const HttpRequest& request, Faults& faults) {
  Span span;
  span.to = query_time(request, "to", faults).value_or(context->now() + 1);
  span.from =
      query_time(request, "from", faults).value_or(std::max<std::int64_t>(0, span.to - 3'600'000));
  if (faults.empty() && span.from > span.to) faults.push_back("from is later than to");
  return span;
}

/// `{productId, window, views, windows:[{start, views}]}` of the windows that begin in the span.
void send_windows(const ContextPtr& context, const std::string& id, const Span& span,
                  const ViewWindow& window, Responder responder) {
  const auto keeper = context->keeper(window.counts);
  if (!keeper) return responder.send(unavailable(keeper.error()));
  const auto counts = window_store<std::string, std::int64_t>(**keeper, window.counts);
  if (!counts) return responder.send(unavailable(counts.error()));
  const auto windows =
      counts->fetch(id, {.from = from_millis(start_of_period(span.from, window.size)),
                         .to = from_millis(span.to - 1),
                         .limit = kWindowsMax});
  if (!windows) return responder.send(unavailable(windows.error()));
  std::int64_t total = 0;
  for (const auto& counted : *windows) total += counted.value;
  HttpResponse response;
  JsonWriter json(response.body);
  json.text("productId", id).text("window", window.name).number("views", total);
  json.value("windows", [&](std::string& out) {
    append_array(*windows, out, [](const WindowValue<std::int64_t>& counted, std::string& one) {
      JsonWriter(one)
          .time("start", to_millis(counted.window.start))
          .number("views", counted.value)
          .end();
    });
  });
  json.end();
  context->send_durable(counts->last_commit(), std::move(responder), std::move(response));
}

/// `{productId, views:[{at, age, gender}], more}`: each view of the span, up to `limit`. Who they
/// were is nobody's business.
void send_raw(const ContextPtr& context, const std::string& id, const Span& span, std::size_t limit,
              Responder responder) {
  const auto keeper = context->keeper(stores::kRawViews);
  if (!keeper) return responder.send(unavailable(keeper.error()));
  const auto raw = window_store<std::string, View>(**keeper, stores::kRawViews);
  if (!raw) return responder.send(unavailable(raw.error()));
  auto views = raw->fetch(
      id, {.from = from_millis(span.from), .to = from_millis(span.to - 1), .limit = limit + 1});
  if (!views) return responder.send(unavailable(views.error()));
  const bool more = views->size() > limit;
  if (more) views->pop_back();
  HttpResponse response;
  JsonWriter json(response.body);
  json.text("productId", id).value("views", [&](std::string& out) {
    append_array(*views, out, [](const WindowValue<View>& seen, std::string& one) {
      JsonWriter view(one);
      view.time("at", to_millis(seen.window.start));
      if (seen.value.age < 0) {
        view.raw("age", "null");
      } else {
        view.number("age", seen.value.age);
      }
      view.text_or_null("gender", seen.value.gender).end();
    });
  });
  json.boolean("more", more).end();
  context->send_durable(raw->last_commit(), std::move(responder), std::move(response));
}

void get_views(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  Faults faults;
  const Span span = read_span(context, request, faults);
  const auto limit = query_number(request, "limit", kRawDefault, 1, kRawMax, faults);
  const auto* window = request.query("window")
                           ? window_named(*request.query("window"))
                           : &window_for(std::chrono::milliseconds(span.to - span.from));
  if (!window) faults.push_back("window is none of 1m, 1h, 1d");
  const auto raw = request.query("raw").value_or("false");
  if (raw != "true" && raw != "false") faults.push_back("raw is neither true nor false");
  if (!faults.empty()) return responder.send(bad_request(faults));
  const auto product = context->find<Stock>(stores::kStock, id);
  if (!product) return responder.send(unavailable(product.error()));
  if (!product->row) {
    return context->send_durable(product->commit, std::move(responder), not_found("product", id));
  }
  if (raw == "false") return send_windows(context, id, span, *window, std::move(responder));
  send_raw(context, id, span, static_cast<std::size_t>(limit), std::move(responder));
}

// --- Segments and recommendations -----------------------------------------------------------

/// What the segment looked at today; of yesterday, when nothing was looked at today yet.
Result<RankedList> popular_in_segment(const ContextPtr& context, const std::string& segment,
                                      std::size_t n) {
  const auto keeper = context->keeper(stores::kPopularBySegment);
  if (!keeper) return std::unexpected(keeper.error());
  const auto today = from_millis(start_of_period(context->now(), kSegmentWindow));
  auto list = first_of(**keeper, stores::kPopularBySegment, segment_list(today, segment), n);
  if (!list || !list->members.empty()) return list;
  return first_of(**keeper, stores::kPopularBySegment,
                  segment_list(today - kSegmentWindow, segment), n);
}

/// `[{productId, name, views, rank}]`
void get_segment(const ContextPtr& context, HttpRequest& request, Responder responder) {
  Faults faults;
  const auto n = n_of(request, faults);
  const std::string_view text = request.param("age");
  std::int32_t age = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), age);
  if (error != std::errc() || end != text.data() + text.size() || age < 0 || age > kAgeMax) {
    faults.push_back("the age is not a whole number between 0 and 150");
  }
  if (!faults.empty()) return responder.send(bad_request(faults));
  const std::string segment = segment_of(age, std::string(request.param("gender")));
  send_list(context, std::move(responder),
            popular_in_segment(context, segment, static_cast<std::size_t>(n)), append_views);
}

/// Gathers products for somebody, each once and none that they have just seen.
class Recommendations {
 public:
  Recommendations(ContextPtr context, std::size_t n) : context_(std::move(context)), n_(n) {}

  /// Looks at what they saw last, and adds what others saw together with it.
  Status add_co_viewed(const std::string& email) {
    const auto keeper = context_->keeper(stores::kSessions);
    if (!keeper) return std::unexpected(keeper.error());
    const auto sessions = session_store<std::string, ViewSession>(**keeper, stores::kSessions);
    if (!sessions) return std::unexpected(sessions.error());
    const auto latest = sessions->fetch(email, {.reverse = true, .limit = 1});
    if (!latest) return std::unexpected(latest.error());
    commit_ = std::max(commit_, sessions->last_commit());
    if (latest->empty()) return {};
    const auto& just_seen = latest->front().value.products;
    seen_ = just_seen;  // Grows with what is added.
    for (auto product = just_seen.rbegin(); product != just_seen.rend() && !full(); ++product) {
      auto list = first_of(**keeper, stores::kCoViewed, *product, n_);
      if (auto added = add(list, "CO_VIEWED"); !added) return added;
    }
    return {};
  }
  Status add(const Result<RankedList>& list, std::string_view reason) {
    if (!list) return std::unexpected(list.error());
    commit_ = std::max(commit_, list->commit);
    for (const auto& ranked : list->members) {
      if (full()) break;
      if (std::ranges::find(seen_, ranked.member) != seen_.end()) continue;
      const auto name = name_of(context_, ranked.member, commit_);
      if (!name) return std::unexpected(name.error());
      if (body_.size() > 1) body_ += ',';
      JsonWriter(body_)
          .text("productId", ranked.member)
          .text_or_null("name", *name)
          .text("reason", reason)
          .number("views", ranked.score)
          .end();
      seen_.push_back(ranked.member);
      ++count_;
    }
    return {};
  }
  void send(Responder responder) {
    context_->send_durable(commit_, std::move(responder), {.body = body_ + "]"});
  }
  void waits_for(CommitSequence commit) { commit_ = std::max(commit_, commit); }

 private:
  bool full() const { return count_ >= n_; }

  ContextPtr context_;
  std::size_t n_;
  std::size_t count_ = 0;
  std::vector<std::string> seen_;  // And what is recommended already.
  CommitSequence commit_ = 0;
  std::string body_ = "[";
};

/// What the claims do not say the table of users may.
Claims viewer_of(Claims claims, const std::optional<User>& user) {
  if (!user) return claims;
  if (claims.email.empty()) claims.email = user->email;
  if (claims.age < 0) claims.age = user->age;
  if (claims.gender.empty()) claims.gender = user->gender;
  return claims;
}

/// `[{productId, name, reason: CO_VIEWED|SEGMENT|POPULAR, views}]`: what was seen together with
/// what they saw last, then what people like them look at, then what everyone does.
void get_recommendations(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  if (auto refusal = context->refusal(request, id)) {
    return responder.send(*std::move(refusal));
  }
  Faults faults;
  const auto n = static_cast<std::size_t>(n_of(request, faults));
  if (!faults.empty()) return responder.send(bad_request(faults));
  const auto claims = context->claims(request);
  if (!claims) return responder.send(claims.error());
  const auto user = context->find<User>(stores::kUsers, id);
  if (!user) return responder.send(unavailable(user.error()));
  // Whom a token speaks for is there, whether or not the table knows them.
  const bool is_known_by_token = !context->is_development() && claims->user_id == id;
  if (!user->row && !is_known_by_token) {
    return context->send_durable(user->commit, std::move(responder), not_found("user", id));
  }
  const Claims viewer = viewer_of(is_known_by_token ? *claims : Claims{.user_id = id}, user->row);
  Recommendations found(context, n);
  found.waits_for(user->commit);
  Status status;
  if (!viewer.email.empty()) status = found.add_co_viewed(viewer.email);
  const std::string segment = segment_of(viewer.age, viewer.gender);
  if (status && !segment.empty()) {
    // Some of them the user has seen already.
    status =
        found.add(popular_in_segment(context, segment, n + ViewSession::kProductsMax), "SEGMENT");
  }
  if (status) {
    const auto& day = *window_named("1d");
    const auto keeper = context->keeper(day.popular);
    const auto today = window_list(from_millis(start_of_period(context->now(), day.size)));
    status = keeper
                 ? found.add(first_of(**keeper, day.popular, today, n + ViewSession::kProductsMax),
                             "POPULAR")
                 : Status(std::unexpected(keeper.error()));
  }
  if (!status) return responder.send(unavailable(status.error()));
  found.send(std::move(responder));
}

}  // namespace

void publish_view(const ContextPtr& context, const HttpRequest& request,
                  const std::string& product_id) {
  if (!context->view_log()) return;
  View view{.product_id = product_id, .email = {}, .gender = {}, .at = context->now()};
  if (auto claims = context->claims(request); claims && !claims->user_id.empty()) {
    const auto user = context->find<User>(stores::kUsers, claims->user_id);
    const Claims viewer = viewer_of(*std::move(claims), user ? user->row : std::nullopt);
    view.email = viewer.email;
    view.age = viewer.age;
    view.gender = viewer.gender;
  }
  context->view_log()->publish(view);
}

void add_view_routes(const ContextPtr& context) {
  add_route(context, "GET", "/products/popular?window&at&n", get_popular, "views");
  add_route(context, "GET", "/products/trending?at&n", get_trending, "views");
  add_route(context, "GET", "/products/{id}/views?from&to&window&raw&limit", get_views, "views");
  add_route(context, "GET", "/segments/{age}/{gender}/popular?n", get_segment, "views");
  add_route(context, "GET", "/users/{id}/recommendations?n", get_recommendations, "views");
}

}  // namespace thalweg::shop
