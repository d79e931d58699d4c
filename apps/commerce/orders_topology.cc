#include <thalweg/schemas/partitioning.h>
#include <thalweg/state/stores.h>
#include <thalweg/topology/streams_builder.h>

#include "command_ids.h"
#include "effects.h"
#include "ledgers.h"
#include "order_fold.h"
#include "order_funnel.h"
#include "payment_topology.h"
#include "public_messages.h"
#include "saga.h"
#include "saga_topology.h"
#include "text.h"
#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

using Id = std::string;
using Events = KStream<Id, OrderEvent>;

constexpr const char* kOrdersByUserHop = "orders-by-user";

/// Events of one of the types.
template <typename... Types>
Events of_type(const Events& events, const std::string& name, Types... types) {
  return events.filter(
      [=](const Id&, const OrderEvent& event) { return ((event.type == types) || ...); },
      {.name = name});
}

// --- What follows from its events -----------------------------------------------------------

void keep_timers(StreamsBuilder& builder, const Events& events, const ShopConfig& config) {
  builder.add_state_store(key_value_store_builder<std::string, bool>(
      TimerProcessor::kStore, {.caching = true}));
  of_type(events, "timed-events", EventType::ORDER_CREATED, EventType::PAYMENT_REQUESTED,
          EventType::ORDER_COMPLETED, EventType::ORDER_CANCELLED)
      .process([resolution = config.timer_resolution] {
        return std::make_unique<TimerProcessor>(resolution);
      }, {TimerProcessor::kStore}, {.name = "saga-timer"})
      .to(topics::kSagaTimeouts);
}

/// The read side: the row of each order, and the orders of each user.
void keep_tables(const Events& events) {
  events.group_by_key().aggregate(
      [] { return Order{}; },
      [](const Id&, const OrderEvent& event, Order order) { return fold(event, std::move(order)); },
      {.name = "fold-orders", .store = stores::kOrders});
  of_type(events, "new-orders", EventType::ORDER_CREATED)
      .map([](const Id& order_id, const OrderEvent& event) {
        return std::pair(order_by_user_key(event.user_id, event.at, order_id), event.at);
      }, {.name = "orders-by-user-key"})
      .repartition({.name = kOrdersByUserHop,
                    .partitioner = [](const std::string& key, const std::int64_t&, std::int32_t n) {
                      return partition_of(std::string_view(key).substr(0, key.find('\n')), n);
                    }})
      .to_table({.name = "keep-orders-by-user", .store = stores::kOrdersByUser});
}

void fan_out(const Events& events) {
  events.to(topics::kOrderEvents, {.name = "order-events-sink"});
  of_type(events, "inventory", EventType::INVENTORY_DEDUCTED, EventType::INVENTORY_INSUFFICIENT,
          EventType::INVENTORY_RELEASED)
      .map_values(inventory_event)
      .to(topics::kInventoryEvents);
  of_type(events, "payments", EventType::PAYMENT_COMPLETED, EventType::PAYMENT_FAILED,
          EventType::PAYMENT_REFUNDED)
      .map_values(payment_event)
      .to(topics::kPaymentEvents);
  of_type(events, "notifications", EventType::ORDER_COMPLETED, EventType::ORDER_CANCELLED)
      .map_values(notification_event)
      .to(topics::kNotificationEvents);
  of_type(events, "analytics", EventType::ORDER_COMPLETED, EventType::ORDER_CANCELLED)
      .map_values(analytics_event)
      .to(topics::kAnalyticsEvents);
  const auto completed = of_type(events, "completed-orders", EventType::ORDER_COMPLETED);
  completed.map_values(order_completed).to(topics::kOrderCompleted);
  completed.map_values(order_processed).to(topics::kOrderProcessed);
  completed.map_values(external_payment_event).to(topics::kExternalEvents);
}

// --- Products -------------------------------------------------------------------------------

/// A command and the product as it left it.
struct StockResult {
  StockCommandKind kind = StockCommandKind::PUT;
  std::string order_id;
  std::int32_t index = 0;
  std::int64_t at = 0;
  std::optional<Stock> stock;
};

StockResult stock_result(const StockCommand& command, const Stock* stock) {
  StockResult result{command.kind, command.order_id, command.index, command.at, {}};
  if (stock) result.stock = *stock;
  return result;
}

std::pair<Id, StockReply> stock_reply(const Id& product_id, const StockResult& result) {
  StockReply reply{.product_id = product_id, .index = result.index};
  if (result.stock) {
    reply.known = true;
    reply.granted = result.stock->outcome == StockOutcome::GRANTED;
    reply.price = result.stock->price;
    reply.name = result.stock->name;
  }
  return {result.order_id, std::move(reply)};
}

/// What the world should know about the product now; empty: nothing.
std::string_view product_event_type(const StockResult& result) {
  if (!result.stock) return {};
  switch (result.stock->outcome) {
    case StockOutcome::CREATED: return "CREATED";
    case StockOutcome::UPDATED: return "UPDATED";
    case StockOutcome::RESTOCKED: return "RESTOCKED";
    case StockOutcome::GRANTED: return result.stock->available == 0 ? "SOLD_OUT" : "";
    default: return {};
  }
}

void keep_stock(StreamsBuilder& builder, const Events& events, const ShopConfig& config) {
  builder.add_state_store(key_value_store_builder<std::string, SeenCommand>(
      stores::kProductCommandIds, {.caching = true}));
  const auto from_shop =
      builder.stream<Id, StockCommand>(topics::kProductCommands)
          .process_values([retention = config.idempotency_retention] {
            return std::make_unique<OncePerCommandId<StockCommand>>(stores::kProductCommandIds,
                                                                    retention);
          }, {stores::kProductCommandIds}, {.name = "product-commands-once"});
  const auto commands =
      of_type(events, "stock-changes", EventType::ORDER_CREATED, EventType::ORDER_COMPLETED,
              EventType::ORDER_CANCELLED, EventType::INVENTORY_RELEASED)
          .flat_map(stock_commands, {.name = "items-by-product"})
          .repartition({.name = "stock-requests"})
          .merge(from_shop);
  const auto stock = commands.group_by_key().aggregate(
      [] { return Stock{}; },
      [](const Id&, const StockCommand& command, Stock row) {
        return apply(command, std::move(row));
      },
      {.name = "apply-to-stock", .store = stores::kStock});
  // Downstream of the aggregation, in the same step: the row is as this command left it.
  const auto results = commands.left_join(stock, stock_result, {.name = "items-with-stock"});
  results
      .filter([](const Id&, const StockResult& result) {
        return result.kind == StockCommandKind::RESERVE;
      }, {.name = "reservations"})
      .map(stock_reply, {.name = "reply-to-order"})
      .to(topics::kStockReplies);
  results
      .filter([](const Id&, const StockResult& result) {
        return !product_event_type(result).empty();
      }, {.name = "product-changes"})
      .map_values([](const Id& product_id, const StockResult& result) {
        return product_event(product_event_type(result), product_id, *result.stock, result.at);
      })
      .to(topics::kProductEvents);
}

// --- Coupons --------------------------------------------------------------------------------

void ask_coupons(const Events& events) {
  events.filter(concerns_coupon, {.name = "coupon-changes"})
      .map(coupon_command, {.name = "holds-by-coupon"})
      .to(topics::kCouponHolds);
}

// --- Accounts -------------------------------------------------------------------------------

struct PaymentResult {
  std::string order_id;
  PaymentReply reply;
};

/// Answers to the saga, under the orders' ids.
void answer(const KStream<Id, PaymentResult>& results) {
  results
      .map([](const Id&, const PaymentResult& result) {
        return std::pair(result.order_id, result.reply);
      }, {.name = "reply-to-saga"})
      .to(topics::kPaymentReplies);
}

/// Where a provider takes the payments that accounts could be charged with: the others fail here.
void answer_with_provider(const KStream<Id, PaymentResult>& results, const Events& events,
                          const PaymentProviderConfig& config, const PaymentProvider& provider) {
  answer(results.filter([](const Id&, const PaymentResult& result) {
    return !result.reply.accepted;
  }, {.name = "refused-payments"}));
  const auto charged =
      results
          .filter([](const Id&, const PaymentResult& result) {
            return result.reply.accepted;
          }, {.name = "charged-accounts"})
          .map([](const Id& user_id, const PaymentResult& result) {
            ProviderPayment payment;
            payment.order_id = result.order_id;
            payment.user_id = user_id;
            payment.amount = result.reply.amount;
            return std::pair(result.order_id, std::move(payment));
          }, {.name = "provider-payments"});
  take_payments(charged, config, provider).to(topics::kPaymentReplies);
  void_payments(events, config, provider);
}

void keep_accounts(StreamsBuilder& builder, const Events& events, const ShopConfig& config,
                   const PaymentProvider& provider) {
  builder.table<Id, User>(topics::kUsers, {}, {.store = stores::kUsers});
  builder.add_state_store(key_value_store_builder<std::string, SeenCommand>(
      stores::kAccountCommandIds, {.caching = true}));
  const auto deposits =
      builder.stream<Id, AccountCommand>(topics::kAccountCommands)
          .process_values([retention = config.idempotency_retention] {
            return std::make_unique<OncePerCommandId<AccountCommand>>(stores::kAccountCommandIds,
                                                                      retention);
          }, {stores::kAccountCommandIds}, {.name = "account-commands-once"});
  const auto payments = events.filter(concerns_payment, {.name = "payment-changes"})
                            .map(account_command, {.name = "payments-by-user"})
                            .repartition({.name = "payment-requests"});
  const auto accounts = payments.merge(deposits).group_by_key().aggregate(
      [] { return Account{}; },
      [](const Id&, const AccountCommand& command, Account row) { return apply(command, row); },
      {.name = "apply-to-account", .store = stores::kAccounts});
  // As with stock: the row is as this payment left it.
  const auto results =
      payments
          .filter([](const Id&, const AccountCommand& command) {
            return command.kind == AccountCommandKind::CHARGE;
          }, {.name = "charges"})
          .join(accounts, [](const AccountCommand& command, const Account& account) {
            PaymentResult result{command.order_id, {}};
            result.reply.accepted = account.accepted;
            result.reply.amount = command.amount;
            if (account.accepted) result.reply.payment_id = derived_id("payment", command.order_id);
            return result;
          }, {.name = "payments-with-accounts"});
  if (provider.charge) {
    answer_with_provider(results, events, config.payment_provider, provider);
  } else {
    answer(results);
  }
}

}  // namespace

std::string order_by_user_prefix(std::string_view user_id) { return std::string(user_id) + '\n'; }

std::string order_by_user_key(std::string_view user_id, std::int64_t created_at,
                              std::string_view order_id) {
  std::string key = order_by_user_prefix(user_id);
  append_iso8601(created_at, key);  // Sorts as time does.
  key += '/';
  return key.append(order_id);
}

std::string orders_by_user_topic(std::string_view application_id) {
  return std::string(application_id) + '-' + kOrdersByUserHop + "-repartition";
}

std::string_view order_id_of(std::string_view order_by_user_key) {
  constexpr std::size_t kTimeAndSlash = 25;
  const auto line_end = order_by_user_key.find('\n');
  return order_by_user_key.substr(line_end + 1 + kTimeAndSlash);
}

Topology build_orders(const ShopConfig& config) {
  const bool has_provider = !config.payment_provider.url.empty();
  return build_orders(
      config, has_provider ? provider_over_http(config.payment_provider) : PaymentProvider());
}

Topology build_orders(const ShopConfig& config, const PaymentProvider& provider) {
  StreamsBuilder builder;
  const auto events = decide_orders(builder, config);
  keep_tables(events);
  keep_funnel(builder, events);
  keep_timers(builder, events, config);
  fan_out(events);
  keep_stock(builder, events, config);
  keep_accounts(builder, events, config, provider);
  ask_coupons(events);
  return builder.build();
}

}  // namespace thalweg::shop
