#include <thalweg/schemas/partitioning.h>
#include <thalweg/topology/streams_builder.h>

#include "coupon_request.h"
#include "notice.h"
#include "public_input.h"
#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

using UserId = std::string;
using Notices = KStream<UserId, Notice>;

constexpr std::chrono::hours kKept{24};

/// Says of what time a coupon's result is: that of its record.
class ResultNotices final : public FixedKeyProcessor<std::string, CouponResult, Notice> {
 public:
  void process(const RecordRef<std::string, CouponResult>& record) override {
    context().forward(coupon_notice(record.value, to_millis(record.timestamp)));
  }
};

/// Everything that users are told, by user.
Notices notices(StreamsBuilder& builder, const ShopConfig& config) {
  const auto results =
      builder
          .stream<std::string, CouponResult>(
              topics::kCouponResults, {.value_serde = AnySerde<CouponResult>(CouponResultSerde{}),
                                       .timestamp_extractor = TimeOfOthers(config)})
          .process_values([] { return std::make_unique<ResultNotices>(); }, {},
                          {.name = "result-notices"});
  return builder
      .stream<std::string, Notice>(topics::kNotificationEvents,
                                   {.value_serde = AnySerde<Notice>(OrderNoticeSerde{}),
                                    .timestamp_extractor = TimeOfOthers(config)})
      .merge(results)
      .select_key([](const std::string&, const Notice& notice) { return notice.user_id; },
                  {.name = "notices-by-user"})
      .repartition({.name = "notices", .value_serde = AnySerde<Notice>{}});
}

/// Gives each notice its number among those of its user.
void number(const Notices& notices) {
  const auto numbers =
      notices.group_by_key().count({.name = "count-notices", .store = "inbox-numbers"});
  // Downstream of the count, in the same step: it is the notice's own number.
  notices
      .join(numbers,
            [](const Notice& notice, std::int64_t number) { return std::pair(notice, number); },
            {.name = "notices-with-numbers"})
      .map([](const UserId& user, const std::pair<Notice, std::int64_t>& numbered) {
        return std::pair(inbox_key(user, numbered.second), numbered.first);
      }, {.name = "notices-by-number"})
      .to(topics::kInbox,
          {.name = "inbox-sink",
           .partitioner = [](const std::string& key, const Notice&, std::int32_t partitions) {
             return partition_of(user_of_inbox_key(key), partitions);
           }});
}

/// What is kept for users who are not there, and the news that it is.
void keep(StreamsBuilder& builder) {
  const auto inbox = builder.stream<std::string, Notice>(topics::kInbox);
  inbox.to_table({.name = "keep-inbox", .store = stores::kInbox, .time_to_live = kKept});
  inbox
      .filter([](const std::string&, const Notice& notice) { return !notice.request_id.empty(); },
              {.name = "coupon-notices"})
      .map([](const std::string&, const Notice& notice) {
        return std::pair(coupon_user_key(notice.user_id),
                         CouponEvent{.type = CouponEventType::NOTIFIED,
                                     .coupon_id = {},
                                     .user_id = notice.user_id,
                                     .request_id = notice.request_id,
                                     .order_id = {},
                                     .history_id = {}});
      }, {.name = "notified-by-user"})
      .to(topics::kCouponEvents, {.name = "notified-sink"});
}

}  // namespace

Topology build_notifications(const ShopConfig& config) {
  StreamsBuilder builder;
  number(notices(builder, config));
  keep(builder);
  return builder.build();
}

}  // namespace thalweg::shop
