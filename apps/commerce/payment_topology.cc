#include "payment_topology.h"

#include <spdlog/spdlog.h>

#include <thalweg/schemas/json.h>

#include "dead_letters.h"
#include "delivery_model.h"
#include "text.h"
#include "topics.h"

namespace thalweg::shop {
namespace {

using Id = std::string;
using ChargeOutcome = AsyncOutcome<ProviderPayment, std::string>;
using VoidOutcome = AsyncOutcome<ProviderPayment, bool>;

/// A payment that has to be void is tried for long: what failed is another's money.
const std::vector<std::chrono::milliseconds> kVoidRetries = {
    std::chrono::seconds(1),  std::chrono::seconds(2),  std::chrono::seconds(4),
    std::chrono::seconds(8),  std::chrono::seconds(16), std::chrono::seconds(32),
    std::chrono::seconds(60), std::chrono::seconds(60), std::chrono::seconds(60)};

bool is_decided(const Id&, const ChargeOutcome& outcome) {
  return outcome.step == AsyncStep::kCompleted || outcome.step == AsyncStep::kGivenUp;
}

PaymentReply reply_to_saga(const ChargeOutcome& outcome) {
  PaymentReply reply;
  reply.amount = outcome.value.amount;
  reply.charged = true;
  if (outcome.response) {
    reply.accepted = true;
    reply.payment_id = *outcome.response;
  } else {
    // A no to a second attempt says nothing of the first, which may have been taken all the same.
    reply.unknown = !outcome.refused || outcome.attempt > 1;
  }
  return reply;
}

JsonText failed_attempt(const ChargeOutcome& outcome) {
  JsonText json{{}};
  JsonWriter writer(json.text);
  writer.text("orderId", outcome.value.order_id).text("userId", outcome.value.user_id);
  writer.number("amount", outcome.value.amount).number("attempt", outcome.attempt);
  writer.text("error", outcome.error);
  if (outcome.next_attempt) writer.time("nextAttemptAt", to_millis(*outcome.next_attempt));
  writer.end();
  return json;
}

std::pair<Id, JsonText> alert(const Id& order_id, std::string_view source, Timestamp at,
                              const std::string& error) {
  spdlog::error("payment of order {}: given up: {}", order_id, error);
  return {order_id, JsonText{admin_alert(to_millis(at), source, order_id, error)}};
}

void put_aside(const KStream<Id, ChargeOutcome>& outcomes) {
  const std::string topic = topics::kPaymentProcessing;
  outcomes
      .filter([](const Id&, const ChargeOutcome& outcome) {
        return outcome.step == AsyncStep::kRetrying;
      }, {.name = "payments-to-retry"})
      .map_values(failed_attempt)
      .to(topics::kPaymentRetry);
  const auto given_up = outcomes.filter(
      [](const Id&, const ChargeOutcome& outcome) {
        return outcome.step == AsyncStep::kGivenUp && !outcome.refused;
      }, {.name = "payments-given-up"});
  given_up.map_values(failed_attempt).to(topic + ".dlq");
  given_up
      .map([topic](const Id& order_id, const ChargeOutcome& outcome) {
        return alert(order_id, topic, outcome.at, outcome.error);
      }, {.name = "payment-alerts"})
      .to(topics::kAdminAlerts);
}

bool is_to_be_void(const Id&, const OrderEvent& event) {
  return event.type == EventType::PAYMENT_REFUNDED &&
         (!event.payment_id.empty() || event.reason == Reason::PAYMENT_FAILED);
}

}  // namespace

KStream<std::string, PaymentReply> take_payments(
    const KStream<std::string, ProviderPayment>& charged, const PaymentProviderConfig& config,
    const PaymentProvider& provider) {
  const auto outcomes =
      charged.map_async<std::string>(provider.charge, {.name = "charge-at-provider",
                                                       .store = "provider-charges",
                                                       .max_in_flight = config.max_in_flight,
                                                       .timeout = config.timeout,
                                                       .retry_after = config.retry_after,
                                                       .jitter = config.jitter});
  put_aside(outcomes);
  return outcomes.filter(is_decided, {.name = "decided-payments"})
      .map_values(reply_to_saga, {.name = "provider-replies"});
}

void void_payments(const KStream<std::string, OrderEvent>& events,
                   const PaymentProviderConfig& config, const PaymentProvider& provider) {
  events.filter(is_to_be_void, {.name = "payments-to-void"})
      .map_values([](const Id& order_id, const OrderEvent& event) {
        ProviderPayment payment;
        payment.order_id = order_id;
        payment.user_id = event.user_id;
        payment.amount = event.final_amount;
        return payment;
      }, {.name = "void-requests"})
      .map_async<bool>(provider.cancel, {.name = "void-at-provider",
                                         .store = "provider-voids",
                                         .max_in_flight = config.max_in_flight,
                                         .timeout = config.timeout,
                                         .retry_after = kVoidRetries,
                                         .jitter = config.jitter})
      .filter([](const Id&, const VoidOutcome& outcome) {
        return outcome.step == AsyncStep::kGivenUp;
      }, {.name = "payments-not-void"})
      .map([](const Id& order_id, const VoidOutcome& outcome) {
        return alert(order_id, "payment.provider", outcome.at,
                     "the payment may stand, and could not be made void: " + outcome.error);
      }, {.name = "void-alerts"})
      .to(topics::kAdminAlerts);
}

}  // namespace thalweg::shop
