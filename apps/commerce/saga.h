#pragma once

#include <chrono>
#include <memory>

#include <thalweg/topology/processor.h>

#include "saga_command.h"

namespace thalweg::shop {

/// The one place where the fate of an order is decided.
///
/// Takes each command to an order, in the order of its partition, and tells what happened as
/// events; what is asked of products and accounts follows from the events alone. The saga itself is
/// a row in the store `sagas`.
///
/// Why nothing is released or paid twice, whatever arrives when: every answer of a product or an
/// account is counted against what the row still waits for, once; a cancellation releases just what
/// has been granted so far; and a grant or a payment that comes after the cancellation is given
/// back at that moment. What is not waited for has no effect.
class SagaProcessor final : public FixedKeyProcessor<std::string, SagaCommand, OrderEvent> {
 public:
  static constexpr const char* kStore = "sagas";

  explicit SagaProcessor(std::chrono::milliseconds timeout) : timeout_(timeout) {}

  void init(FixedKeyProcessorContext<std::string, OrderEvent>& context) override;
  void process(const RecordRef<std::string, SagaCommand>& record) override;

 private:
  // Each returns whether the row has changed.
  bool handle(const Unreadable&) { return false; }
  bool handle(const OrderStart& start);
  bool handle(const OrderCancel& cancel);
  bool handle(const StockRollback& rollback);
  bool handle(const ProcessOrder& process);
  bool handle(const ProcessPayment& process);
  bool handle(const StockReply& reply);
  bool handle(const CouponReply& reply);
  bool handle(const PaymentReply& reply);
  bool handle(const SagaTimeout& timeout);

  bool cancel_from_outside(Reason reason, Cause cause);
  bool pay(const OrderOptions* request);
  void decide_reservation();
  /// All that was to be reserved is: the payment follows, or the order waits for it.
  void go_on(OrderEvent& reserved);
  void complete(const PaymentReply& reply);
  void give_back(const PaymentReply& reply);
  void cancel(Reason reason, Cause cause, bool deducted);
  bool finished() const;
  std::int64_t deadline();

  /// The event in the making: all that is known of the order, but for its items.
  OrderEvent& event(EventType type);
  OrderEvent& event_with_items(EventType type);
  void emit(const OrderEvent& happened) { context().forward(happened); }

  std::chrono::milliseconds timeout_;
  KeyValueStore<std::string, Saga>* sagas_ = nullptr;

  // The command in hand.
  const RecordRef<std::string, SagaCommand>* record_ = nullptr;
  bool exists_ = false;
  Saga saga_;
  OrderEvent event_;
};

/// Keeps the deadlines of open orders in a store sorted by time, and sends a timeout for each that
/// passes. An order that ends takes its timer along.
class TimerProcessor final
    : public Processor<std::string, OrderEvent, std::string, SagaTimeout> {
 public:
  static constexpr const char* kStore = "saga-timers";

  explicit TimerProcessor(std::chrono::milliseconds resolution) : resolution_(resolution) {}

  void init(ProcessorContext<std::string, SagaTimeout>& context) override;
  void process(const RecordRef<std::string, OrderEvent>& record) override;

 private:
  void fire(Timestamp now);

  std::chrono::milliseconds resolution_;
  KeyValueStore<std::string, bool>* timers_ = nullptr;
  std::string key_;
};

}  // namespace thalweg::shop
