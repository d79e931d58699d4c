// Deliveries to the outside, of each topic that has a receiver:
//
//   external-events, ... -> requests by lane -> calls -> delivery-events -> deliveries, dead letter
//                                  ^                                            |
//                                  +---------- RETRY of a dead letter ----------+
//
// Each receiver has calls of its own, so that one that is away holds up no other.

#include "delivery_topology.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include <spdlog/spdlog.h>

#include <thalweg/schemas/json.h>
#include <thalweg/topology/streams_builder.h>

#include "dead_letters.h"
#include "delivery_sinks.h"
#include "processed_orders.h"
#include "topics.h"
#include "topologies.h"
#include "unreadable_alerts.h"

namespace thalweg::shop {
namespace {

using Id = std::string;
using Requests = KStream<Id, DeliveryRequest>;
using Outcomes = KStream<Id, DeliveryOutcome>;

/// By topic.
using Receivers = std::map<std::string, std::vector<Receiver>>;

std::string dead_letters_of(const std::string& topic) { return topic + ".dlq"; }

/// An event that cannot be read, as it came, with headers named as in KIP-1034.
class UnreadableEvent final
    : public Processor<std::optional<Id>, ExternalEvent, std::optional<Id>, Bytes> {
 public:
  void process(const RecordRef<std::optional<Id>, ExternalEvent>& record) override {
    Headers headers = record.headers;
    add_error_headers(headers, "SerdeError", record.value.fault,
                      origin_of(context().task().metadata()));
    context().forward(record.key, Bytes{record.value.json}, record.timestamp, headers);
  }
};

/// The same of a record that should be about an order.
class UnreadableOrder final
    : public Processor<std::optional<Id>, Bytes, std::optional<Id>, Bytes> {
 public:
  void process(const RecordRef<std::optional<Id>, Bytes>& record) override {
    Headers headers = record.headers;
    add_error_headers(headers, "SerdeError", order_fault(record.key, record.value.data),
                      origin_of(context().task().metadata()));
    context().forward(record.key, record.value, record.timestamp, headers);
  }
};

/// What is to be sent, by lane.
class ToRequest final : public Processor<std::optional<Id>, ExternalEvent, Id, DeliveryRequest> {
 public:
  void process(const RecordRef<std::optional<Id>, ExternalEvent>& record) override {
    const auto& from = context().task().metadata();
    const ExternalEvent& event = record.value;
    DeliveryRequest request;
    request.id = event.id;
    request.lane = event.lane;
    request.order_id = event.order_id;
    request.path = event.path;
    request.payload = event.json;
    request.source = std::string(from.topic);
    request.source_partition = from.partition;
    request.source_offset = from.offset;
    context().forward(event.lane, request, record.timestamp, record.headers);
  }
};

/// A record about an order, to be sent as it is to each of its receivers.
class OrderToRequests final : public Processor<std::optional<Id>, Bytes, Id, DeliveryRequest> {
 public:
  explicit OrderToRequests(std::vector<Receiver> receivers) : receivers_(std::move(receivers)) {}

  void process(const RecordRef<std::optional<Id>, Bytes>& record) override {
    const auto& from = context().task().metadata();
    // Decided once, whenever an attempt is made.
    const std::string day = day_of(record.value.data, record.timestamp);
    for (const Receiver receiver : receivers_) {
      const std::string name = name_of(receiver);
      DeliveryRequest request;
      request.receiver = receiver;
      request.source = std::string(from.topic);
      request.id = request.source + (name.empty() ? "-" : '.' + name + '-') + *record.key;
      request.lane = *record.key;
      request.order_id = *record.key;
      request.path = path_at(receiver, *record.key, day);
      request.payload = record.value.data;
      request.source_partition = from.partition;
      request.source_offset = from.offset;
      context().forward(request.lane, request, record.timestamp, record.headers);
    }
  }

 private:
  std::vector<Receiver> receivers_;
};

/// Tells that there is something to be sent, by the delivery's id.
class Publish final : public Processor<Id, DeliveryRequest, Id, DeliveryEvent> {
 public:
  void process(const RecordRef<Id, DeliveryRequest>& record) override {
    const auto now = to_millis(context().task().wall_clock_time());
    context().forward(record.value.id, published(record.value, now));
  }
};

/// A delivery that was given up: its event as it came, with headers that say why.
class GivenUp final : public FixedKeyProcessor<Id, DeliveryOutcome, JsonText> {
 public:
  void process(const RecordRef<Id, DeliveryOutcome>& record) override {
    const DeliveryRequest& request = record.value.value;
    Headers headers = record.headers;
    add_error_headers(headers, kDeliveryError, record.value.error,
                      {request.source, request.source_partition, request.source_offset});
    headers.add("delivery-id", request.id);
    context().forward(JsonText{request.payload}, record.timestamp, headers);
  }
};

Requests external_events(StreamsBuilder& builder) {
  const auto events = builder.stream<std::optional<Id>, ExternalEvent>(topics::kExternalEvents);
  const auto branches =
      events.split({.name = "external-events-"})
          .branch([](const std::optional<Id>&, const ExternalEvent& event) {
            return event.fault.empty();
          }, {.name = "readable"})
          .default_branch({.name = "unreadable"});
  branches.at("external-events-unreadable")
      .process([] { return std::make_unique<UnreadableEvent>(); }, {},
               {.name = "unreadable-external-events"})
      .to(dead_letters_of(topics::kExternalEvents));
  return branches.at("external-events-readable")
      .process([] { return std::make_unique<ToRequest>(); }, {}, {.name = "delivery-requests"});
}

Requests completed_orders(StreamsBuilder& builder, const std::vector<Receiver>& receivers) {
  const auto branches =
      builder.stream<std::optional<Id>, Bytes>(topics::kOrderCompleted)
          .split({.name = "order-completed-"})
          .branch([](const std::optional<Id>& key, const Bytes& order) {
            return order_fault(key, order.data).empty();
          }, {.name = "readable"})
          .default_branch({.name = "unreadable"});
  branches.at("order-completed-unreadable")
      .process([] { return std::make_unique<UnreadableOrder>(); }, {},
               {.name = "unreadable-completed-orders"})
      .to(dead_letters_of(topics::kOrderCompleted));
  return branches.at("order-completed-readable")
      .process([=] { return std::make_unique<OrderToRequests>(receivers); }, {},
               {.name = "completed-order-requests"});
}

/// What is to be sent of all topics that have a receiver.
Requests arriving(StreamsBuilder& builder, const Receivers& receivers,
                  const KStream<std::optional<Id>, Bytes>& processed_orders) {
  std::optional<Requests> all;
  const auto add = [&all](const Requests& requests) {
    all = all ? all->merge(requests) : requests;
  };
  if (receivers.contains(topics::kExternalEvents)) add(external_events(builder));
  if (const auto found = receivers.find(topics::kOrderCompleted); found != receivers.end()) {
    add(completed_orders(builder, found->second));
  }
  if (const auto found = receivers.find(topics::kOrderProcessed); found != receivers.end()) {
    add(processed_orders.process(
        [told = found->second] { return std::make_unique<OrderToRequests>(told); }, {},
        {.name = "processed-order-requests"}));
  }
  return *all;
}

/// Receivers that are there beside HTTP.
std::set<Receiver> beside_http(const Receivers& receivers) {
  std::set<Receiver> found;
  for (const auto& [topic, told] : receivers) found.insert(told.begin(), told.end());
  found.erase(Receiver::HTTP);
  return found;
}

/// The calls. HTTP has those of receivers that are there no more too: they are refused.
Outcomes call(const Requests& requests, const DeliveryConfig& config,
              const std::set<Receiver>& beside_http, const DeliverySend& send) {
  const auto options = [&config](const std::string& ending) {
    return AsyncOptions{.name = "deliver" + ending,
                        .store = stores::kDeliveryOutbox + ending,
                        .max_in_flight = config.max_in_flight,
                        .timeout = config.webhook_timeout,
                        .retry_after = config.retry_after,
                        .jitter = config.jitter};
  };
  if (beside_http.empty()) return requests.map_async<std::int32_t>(send, options(""));
  Outcomes all =
      requests
          .filter([beside_http](const Id&, const DeliveryRequest& request) {
            return !beside_http.contains(request.receiver);
          }, {.name = "for-http"})
          .map_async<std::int32_t>(send, options(""));
  for (const Receiver receiver : beside_http) {
    const std::string name = name_of(receiver);
    all = all.merge(requests
                        .filter([receiver](const Id&, const DeliveryRequest& request) {
                          return request.receiver == receiver;
                        }, {.name = "for-" + name})
                        .map_async<std::int32_t>(send, options('-' + name)));
  }
  return all;
}

/// Every step of every delivery, by the delivery's id.
void tell(const Requests& requests, const Outcomes& outcomes) {
  requests
      .process([] { return std::make_unique<Publish>(); }, {}, {.name = "publish-deliveries"})
      .to(topics::kDeliveryEvents);
  outcomes
      .map([](const Id&, const DeliveryOutcome& outcome) {
        return std::pair(outcome.value.id, step_of(outcome));
      }, {.name = "delivery-steps"})
      .to(topics::kDeliveryEvents);
}

/// Those that nobody tries any more, for people to look at.
void raise(const Outcomes& outcomes, const Receivers& receivers) {
  const auto given_up = outcomes.filter(
      [](const Id&, const DeliveryOutcome& outcome) {
        return outcome.step == AsyncStep::kGivenUp;
      }, {.name = "deliveries-given-up"});
  for (const auto& [topic, told] : receivers) {
    given_up
        .filter([topic](const Id&, const DeliveryOutcome& outcome) {
          return outcome.value.source == topic;
        }, {.name = "given-up-" + topic})
        .process_values([] { return std::make_unique<GivenUp>(); }, {},
                        {.name = "dead-letters-" + topic})
        .to(dead_letters_of(topic));
  }
  given_up
      .peek([](const Id&, const DeliveryOutcome& outcome) {
        spdlog::error("delivery {}: given up: {}", outcome.value.id, outcome.error);
      }, {.name = "log-alerts"})
      .map([](const Id&, const DeliveryOutcome& outcome) {
        return std::pair(outcome.value.id,
                         JsonText{admin_alert(to_millis(outcome.at), outcome.value.source,
                                              outcome.value.id, outcome.error)});
      }, {.name = "delivery-alerts"})
      .to(topics::kAdminAlerts);
}

/// Keeps what queries read, and returns what is to be sent again.
Requests keep(StreamsBuilder& builder) {
  const auto events = builder.stream<Id, DeliveryEvent>(topics::kDeliveryEvents);
  const auto deliveries = events.group_by_key().aggregate(
      [] { return Delivery{}; },
      [](const Id&, const DeliveryEvent& event, Delivery row) {
        return apply(event, std::move(row));
      },
      {.name = "fold-deliveries", .store = stores::kDeliveries});
  deliveries.filter([](const Id&, const Delivery& row) {
    return row.status == DeliveryStatus::DEAD_LETTER;
  }, {.name = "keep-dead-letters", .store = stores::kDeadLetters});
  // Downstream of the aggregation, in the same step: the row is as this event left it.
  return events
      .filter([](const Id&, const DeliveryEvent& event) {
        return event.step == DeliveryStep::RETRY;
      }, {.name = "asked-again"})
      .join(deliveries, [](const Id& id, const DeliveryEvent&, const Delivery& row) {
        return row.accepted ? request_of(id, row) : DeliveryRequest{};
      }, {.name = "dead-letters-to-send"})
      .filter([](const Id&, const DeliveryRequest& request) { return !request.id.empty(); },
              {.name = "send-again"})
      .select_key([](const Id&, const DeliveryRequest& request) { return request.lane; },
                  {.name = "send-again-by-lane"});
}

void keep_by_order(const Requests& requests) {
  requests
      .filter([](const Id&, const DeliveryRequest& request) { return !request.order_id.empty(); },
              {.name = "deliveries-of-orders"})
      .group_by_key()
      .aggregate([] { return DeliveryIds{}; },
                 [](const Id&, const DeliveryRequest& request, DeliveryIds row) {
                   if (std::ranges::find(row.ids, request.id) == row.ids.end()) {
                     row.ids.push_back(request.id);
                   }
                   return row;
                 },
                 {.name = "keep-deliveries-of-orders", .store = stores::kDeliveriesByOrder});
}

void deliver(StreamsBuilder& builder, const DeliveryConfig& config, const Receivers& receivers,
             const KStream<std::optional<Id>, Bytes>& processed_orders, const DeliverySend& send) {
  const auto arrived = arriving(builder, receivers, processed_orders);
  const auto requests = arrived.merge(keep(builder)).repartition({.name = "deliveries"});
  const auto outcomes = call(requests, config, beside_http(receivers), send);
  tell(arrived, outcomes);
  raise(outcomes, receivers);
  keep_by_order(requests);
}

}  // namespace

Topology build_delivery(const ShopConfig& config, DeliverySend send) {
  StreamsBuilder builder;
  const auto processed_orders = keep_processed_orders(
      builder, config.delivery.processed_retention, config.timer_resolution);
  if (const auto receivers = receivers_of(config.delivery); !receivers.empty()) {
    deliver(builder, config.delivery, receivers, processed_orders, send);
  }
  raise_alerts_of_unreadable_records(builder);
  return builder.build();
}

Topology build_delivery(const ShopConfig& config) {
  return build_delivery(config, send_to_receivers(config.delivery));
}

}  // namespace thalweg::shop
