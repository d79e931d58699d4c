#include <thalweg/state/stores.h>
#include <thalweg/topology/streams_builder.h>

#include "coupon_book.h"
#include "coupon_desk.h"
#include "coupon_request.h"
#include "public_input.h"
#include "small_processors.h"
#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

using Id = std::string;
using UserKey = std::string;
using Requests = KStream<UserKey, CouponRequest>;
using Commands = KStream<Id, CouponCommand>;
using Events = KStream<Id, CouponEvent>;

CouponEvent pending(const CouponRequest& request, std::int64_t at) {
  return {.type = CouponEventType::PENDING,
          .coupon_id = request.coupon_id,
          .user_id = request.user_id,
          .request_id = request.request_id,
          .order_id = {},
          .history_id = {},
          .at = at};
}

/// Says when a request came: by the time of its record.
class PendingProcessor final : public FixedKeyProcessor<UserKey, CouponRequest, CouponEvent> {
 public:
  void process(const RecordRef<UserKey, CouponRequest>& record) override {
    context().forward(pending(record.value, to_millis(record.timestamp)));
  }
};

/// Reads requests; what is none goes to the dead letters.
Requests read_requests(StreamsBuilder& builder, const ShopConfig& config) {
  const std::string topic = topics::kCouponRequests;
  auto records = builder.stream<UserKey, CouponRequest>(
      topic, {.value_serde = AnySerde<CouponRequest>(CouponRequestSerde{}),
              .timestamp_extractor = TimeOfOthers(config)});
  auto branches = records.split({.name = topic + "-"})
                      .branch([](const UserKey& key, const CouponRequest& request) {
                        return request.readable(key);
                      }, {.name = "requests"})
                      .default_branch({.name = "unreadable"});
  branches.at(topic + "-unreadable")
      .process_values([] { return std::make_unique<DeadLetterProcessor<CouponRequest>>(); }, {},
                      {.name = topic + "-dead-letters"})
      .to(topic + ".dlq");
  return branches.at(topic + "-requests");
}

/// By user: each request is noted and goes on to its coupon once.
Commands keep_book(StreamsBuilder& builder, const ShopConfig& config) {
  builder.add_state_store(key_value_store_builder<std::string, CouponRequestRow>(
      stores::kCouponRequests, {.caching = true}));
  builder.add_state_store(
      key_value_store_builder<std::string, HeldCoupon>(stores::kCouponsByUser, {.caching = true}));
  const auto fresh =
      read_requests(builder, config)
          .process_values([] { return std::make_unique<PendingProcessor>(); }, {},
                          {.name = "requests-pending"})
          .merge(builder.stream<UserKey, CouponEvent>(topics::kCouponEvents))
          .process_values([] { return std::make_unique<CouponBook>(); },
                          {stores::kCouponRequests, stores::kCouponsByUser},
                          {.name = "coupon-book"});
  fresh.to(topics::kCouponEvents, {.name = "pending-requests-sink"});
  return fresh
      .map([](const UserKey&, const CouponEvent& event) {
        return std::pair(event.coupon_id, CouponCommand{.kind = CouponCommandKind::ISSUE,
                                                        .user_id = event.user_id,
                                                        .request_id = event.request_id,
                                                        .order_id = {}});
      }, {.name = "requests-by-coupon"})
      .repartition({.name = "coupon-requests-by-coupon"});
}

/// By coupon: every command meets the coupon's row, and is decided.
Events decide(StreamsBuilder& builder, const Commands& requests) {
  const auto coupons = builder.stream<Id, Coupon>(topics::kCoupons)
                           .group_by_key()
                           .reduce([](const Coupon& first, const Coupon&) { return first; },
                                   {.name = "first-definition", .store = stores::kCoupons});
  builder.add_state_store(key_value_store_builder<std::string, HeldCoupon>(CouponDesk::kHolders,
                                                                           {.caching = true}));
  builder.add_state_store(key_value_store_builder<std::string, std::int64_t>(CouponDesk::kIssued,
                                                                             {.caching = true}));
  return requests.merge(builder.stream<Id, CouponCommand>(topics::kCouponHolds))
      .left_join(coupons, [](const CouponCommand& command, const Coupon* coupon) {
        CouponAsk ask{command, {}};
        if (coupon) ask.coupon = *coupon;
        return ask;
      }, {.name = "requests-with-coupons"})
      .process_values([] { return std::make_unique<CouponDesk>(); },
                      {CouponDesk::kHolders, CouponDesk::kIssued}, {.name = "coupon-desk"});
}

template <typename... Types>
Events of_type(const Events& events, const std::string& name, Types... types) {
  return events.filter(
      [=](const Id&, const CouponEvent& event) { return ((event.type == types) || ...); },
      {.name = name});
}

void tell(const Events& events) {
  events.group_by_key().aggregate(
      [] { return CouponCounts{}; },
      [](const Id&, const CouponEvent& event, CouponCounts counts) { return fold(event, counts); },
      {.name = "count-coupons", .store = stores::kCouponCounts});
  events
      .select_key([](const Id&, const CouponEvent& event) {
        return coupon_user_key(event.user_id);
      }, {.name = "events-by-user"})
      .to(topics::kCouponEvents, {.name = "coupon-events-sink"});
  of_type(events, "results", CouponEventType::COMPLETED, CouponEventType::FAILED)
      .map([](const Id&, const CouponEvent& event) {
        return std::pair(coupon_user_key(event.user_id), coupon_result(event));
      }, {.name = "results-by-user"})
      .to(topics::kCouponResults);
  of_type(events, "issued", CouponEventType::COMPLETED)
      .map([](const Id&, const CouponEvent& event) {
        return std::pair(event.history_id, coupon_issued(event));
      }, {.name = "issued-by-history"})
      .to(topics::kExternalEvents);
  of_type(events, "replies", CouponEventType::RESERVED, CouponEventType::REFUSED)
      .map([](const Id&, const CouponEvent& event) {
        return std::pair(event.order_id,
                         CouponReply{event.type == CouponEventType::RESERVED,
                                     event.discount_amount, event.discount_percent});
      }, {.name = "replies-by-order"})
      .to(topics::kCouponReplies);
}

}  // namespace

std::string coupon_by_user_prefix(std::string_view user_id) { return std::string(user_id) + '\n'; }

std::string coupon_by_user_key(std::string_view user_id, std::string_view coupon_id) {
  return coupon_by_user_prefix(user_id).append(coupon_id);
}

Topology build_coupons(const ShopConfig& config) {
  StreamsBuilder builder;
  tell(decide(builder, keep_book(builder, config)));
  return builder.build();
}

}  // namespace thalweg::shop
