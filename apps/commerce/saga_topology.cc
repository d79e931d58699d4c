#include "saga_topology.h"

#include <thalweg/state/stores.h>

#include "command_check.h"
#include "public_input.h"
#include "saga.h"
#include "small_processors.h"
#include "topics.h"

namespace thalweg::shop {
namespace {

using Id = std::string;
using Commands = KStream<Id, SagaCommand>;

/// Reads a topic that others write to; what is no command goes to its dead letters.
Commands foreign(StreamsBuilder& builder, const ShopConfig& config, const std::string& topic,
                 JsonCommandSerde::Parse parse) {
  // Events have the times of their commands, and what is sold counts at those times.
  auto commands = builder.stream<Id, SagaCommand>(
      topic, {.value_serde = AnySerde<SagaCommand>(JsonCommandSerde{parse}),
              .timestamp_extractor = TimeOfOthers(config)});
  auto branches = commands
                      .process_values([] { return std::make_unique<CommandCheck>(); },
                                      {SagaProcessor::kStore}, {.name = topic + "-checked"})
                      .split({.name = topic + "-"})
                      .branch([](const Id& key, const SagaCommand& command) {
                        return command.readable(key);
                      }, {.name = "commands"})
                      .default_branch({.name = "unreadable"});
  branches.at(topic + "-unreadable")
      .process_values([] { return std::make_unique<DeadLetterProcessor<SagaCommand>>(); }, {},
                      {.name = topic + "-dead-letters"})
      .to(topic + ".dlq");
  return branches.at(topic + "-commands");
}

template <typename T>
Commands own(StreamsBuilder& builder, const std::string& topic) {
  return builder.stream<Id, SagaCommand>(
      topic, {.value_serde = AnySerde<SagaCommand>(OwnCommandSerde<T>{})});
}

Commands saga_commands(StreamsBuilder& builder, const ShopConfig& config) {
  return foreign(builder, config, topics::kOrderStart, parse_order_start)
      .merge(foreign(builder, config, topics::kOrderCancel, parse_order_cancel))
      .merge(foreign(builder, config, topics::kOrderCencel, parse_order_cancel))
      .merge(foreign(builder, config, topics::kStockRollback, parse_stock_rollback))
      .merge(foreign(builder, config, topics::kOrderProcessing, parse_process_order))
      .merge(foreign(builder, config, topics::kPaymentProcessing, parse_process_payment))
      .merge(own<StockReply>(builder, topics::kStockReplies))
      .merge(own<CouponReply>(builder, topics::kCouponReplies))
      .merge(own<PaymentReply>(builder, topics::kPaymentReplies))
      .merge(own<SagaTimeout>(builder, topics::kSagaTimeouts));
}

}  // namespace

KStream<std::string, OrderEvent> decide_orders(StreamsBuilder& builder, const ShopConfig& config) {
  builder.add_state_store(
      key_value_store_builder<std::string, Saga>(SagaProcessor::kStore, {.caching = true}));
  return saga_commands(builder, config)
      .process_values(
          [timeout = config.saga_timeout] { return std::make_unique<SagaProcessor>(timeout); },
          {SagaProcessor::kStore}, {.name = "saga"});
}

}  // namespace thalweg::shop
