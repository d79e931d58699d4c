#include "gateway_context.h"
#include "query_fields.h"
#include "rank_index.h"
#include "ranked_list.h"
#include "sales_model.h"

namespace thalweg::shop {
namespace {

constexpr std::int64_t kListDefault = 10;
constexpr std::int64_t kListMax = 1000;

/// A list of the ranking as a request asks for it.
struct RankingRequest {
  const char* store = stores::kRankingOfAllTime;
  std::string list = kAllTime;
};

/// `window=all|day|hour`, of now or of the time `at`.
RankingRequest read_ranking(const ContextPtr& context, const HttpRequest& request, Faults& faults) {
  const auto window = request.query("window").value_or("all");
  const auto at = query_time(request, "at", faults).value_or(context->now());
  const auto list_of = [at](std::chrono::milliseconds length) {
    return window_list(from_millis(start_of_period(at, length)));
  };
  if (window == "day") return {stores::kRankingByDay, list_of(std::chrono::hours(24))};
  if (window == "hour") return {stores::kRankingByHour, list_of(std::chrono::hours(1))};
  if (window != "all") faults.push_back("window is none of all, day, hour");
  return {};
}

/// `[{productId, name, quantity, rank}]`
void get_ranking(const ContextPtr& context, HttpRequest& request, Responder responder) {
  Faults faults;
  const auto asked = read_ranking(context, request, faults);
  const auto n = query_number(request, "n", kListDefault, 1, kListMax, faults);
  if (!faults.empty()) return responder.send(bad_request(faults));
  const auto keeper = context->keeper(asked.store);
  if (!keeper) return responder.send(unavailable(keeper.error()));
  const auto first = first_of(**keeper, asked.store, asked.list, static_cast<std::size_t>(n));
  if (!first) return responder.send(unavailable(first.error()));
  CommitSequence commit = first->commit;
  HttpResponse response{.body = "["};
  std::int64_t rank = 0;
  for (const auto& [product_id, quantity] : first->members) {
    const auto product = context->find<SoldProduct>(stores::kSoldProducts, product_id);
    if (!product) return responder.send(unavailable(product.error()));
    commit = std::max(commit, product->commit);
    if (rank > 0) response.body += ',';
    JsonWriter(response.body)
        .text("productId", product_id)
        .text_or_null("name", product->row ? product->row->name : "")
        .number("quantity", quantity)
        .number("rank", ++rank)
        .end();
  }
  response.body += ']';
  context->send_durable(commit, std::move(responder), std::move(response));
}

/// `{productId, name, quantity, rank}`; a product of which nothing was sold has no rank.
void get_rank(const ContextPtr& context, HttpRequest& request, Responder responder) {
  const std::string id(request.param("id"));
  Faults faults;
  const auto asked = read_ranking(context, request, faults);
  if (!faults.empty()) return responder.send(bad_request(faults));
  const auto keeper = context->keeper(asked.store);
  if (!keeper) return responder.send(unavailable(keeper.error()));
  const auto standing = standing_of(**keeper, asked.store, asked.list, id);
  if (!standing) return responder.send(unavailable(standing.error()));
  const auto product = context->find<ProductInfo>(stores::kProducts, id);
  if (!product) return responder.send(unavailable(product.error()));
  const auto commit = std::max(standing->commit, product->commit);
  if (!standing->rank && !product->row) {
    return context->send_durable(commit, std::move(responder), not_found("product", id));
  }
  HttpResponse response;
  JsonWriter json(response.body);
  json.text("productId", id).text_or_null("name", product->row ? product->row->name : "");
  json.number("quantity", standing->score);
  if (standing->rank) {
    json.number("rank", *standing->rank);
  } else {
    json.raw("rank", "null");
  }
  json.end();
  context->send_durable(commit, std::move(responder), std::move(response));
}

}  // namespace

void add_ranking_routes(const ContextPtr& context) {
  add_route(context, "GET", "/ranking/products?window&at&n", get_ranking, "ranking");
  add_route(context, "GET", "/products/{id}/rank?window&at", get_rank, "ranking");
}

}  // namespace thalweg::shop
