#include "saga.h"

#include <algorithm>
#include <limits>

#include "text.h"

namespace thalweg::shop {
namespace {

/// Never overflows: an amount beyond all money is one that nobody can pay.
std::int64_t total_of(const std::vector<Item>& items) {
  __extension__ using Wide = __int128;
  Wide total = 0;
  for (const Item& item : items) total += static_cast<Wide>(item.quantity) * item.price;
  return static_cast<std::int64_t>(
      std::min<Wide>(total, std::numeric_limits<std::int64_t>::max()));
}

/// What is left to pay; a percentage is rounded in the shop's favour.
std::int64_t discounted(std::int64_t total, const CouponReply& coupon) {
  __extension__ using Wide = __int128;
  const auto percent =
      static_cast<std::int64_t>(static_cast<Wide>(total) * coupon.discount_percent / 100);
  return std::max<std::int64_t>(0, total - coupon.discount_amount - percent);
}

bool any(const std::vector<Item>& items, ItemState state) {
  return std::ranges::any_of(items, [&](const Item& item) { return item.state == state; });
}

/// The shipment as the order shows it: our id, and what the customer gave.
std::string shipment_json(const std::string& order_id, const std::string& request) {
  std::string out;
  JsonWriter json(out);
  json.text("shipmentId", derived_id("shipment", order_id)).text("status", "CREATED");
  json.raw("request", request.empty() ? "null" : request).end();
  return out;
}

std::string storage_json(const std::string& order_id) {
  std::string out;
  JsonWriter(out).text("storageId", derived_id("storage", order_id)).text("status", "STORED").end();
  return out;
}

/// Sorts as the deadline does.
void timer_key(std::int64_t deadline, const std::string& order_id, std::string& out) {
  char digits[] = "0000000000000000/";
  for (char* digit = digits + 16; digit != digits; deadline /= 10) {
    *--digit = static_cast<char>('0' + deadline % 10);
  }
  out.assign(digits, 17);
  out += order_id;
}

}  // namespace

// --- The saga -------------------------------------------------------------------------------

void SagaProcessor::init(FixedKeyProcessorContext<std::string, OrderEvent>& context) {
  FixedKeyProcessor::init(context);
  sagas_ = &context.key_value_store<std::string, Saga>(kStore);
}

void SagaProcessor::process(const RecordRef<std::string, SagaCommand>& record) {
  record_ = &record;
  const Saga* stored = sagas_->get(record.key);
  exists_ = stored != nullptr;
  if (stored) {
    saga_ = *stored;
  } else {
    saga_ = Saga{};
  }
  const bool changed =
      std::visit([this](const auto& content) { return handle(content); }, record.value.content);
  if (changed) sagas_->put(record.key, saga_);
}

bool SagaProcessor::finished() const {
  return saga_.status == SagaStatus::COMPLETED || saga_.status == SagaStatus::CANCELLED ||
         saga_.status == SagaStatus::CANCELLED_EARLY;
}

std::int64_t SagaProcessor::deadline() {
  return to_millis(context().task().wall_clock_time() + timeout_);
}

OrderEvent& SagaProcessor::event(EventType type) {
  event_.type = type;
  event_.order_id = record_->key;
  event_.user_id = saga_.user_id;
  event_.at = to_millis(context().task().wall_clock_time());
  event_.reason = Reason::NONE;
  event_.cause = Cause::SAGA;
  event_.items.clear();
  event_.total_amount = saga_.total_amount;
  event_.final_amount = saga_.final_amount;
  event_.coupon_id = saga_.coupon_id;
  event_.payment_id.clear();
  event_.shipment.clear();
  event_.storage.clear();
  event_.pay_now = false;
  event_.deadline = saga_.deadline;
  event_.deducted = false;
  event_.coupon_held = saga_.coupon_held;
  event_.options_digest = 0;
  return event_;
}

OrderEvent& SagaProcessor::event_with_items(EventType type) {
  event(type).items = saga_.items;
  return event_;
}

bool SagaProcessor::handle(const OrderStart& start) {
  const bool cancelled_early = exists_ && saga_.status == SagaStatus::CANCELLED_EARLY;
  if (exists_ && !cancelled_early) return false;  // The command was delivered twice.
  const bool by_another =
      cancelled_early && !saga_.user_id.empty() && saga_.user_id != start.user_id;
  if (by_another) context().task().dropped("saga", "cancelled by another user than the order's");
  const Reason reason = saga_.reason;
  const Cause cause = saga_.cause;
  const OrderOptions& options = start.options;
  saga_ = Saga{};
  saga_.user_id = start.user_id;
  for (const auto& item : start.items) {
    saga_.items.push_back({item.product_id, item.quantity, 0, {}, ItemState::WAITING});
  }
  saga_.pay_now = !options.pay_later;
  saga_.shipment = options.shipment;
  saga_.storage_wanted = options.storage_wanted;
  saga_.coupon_id = options.coupon_id;
  saga_.deadline = deadline();
  auto& created = event_with_items(EventType::ORDER_CREATED);
  created.pay_now = saga_.pay_now;
  created.options_digest = start.options_digest;
  emit(created);
  if (cancelled_early && !by_another) cancel(reason, cause, false);
  return true;
}

bool SagaProcessor::handle(const StockReply& reply) {
  const auto index = static_cast<std::size_t>(reply.index);
  if (!exists_ || reply.index < 0 || index >= saga_.items.size()) return false;
  Item& item = saga_.items[index];
  if (item.state != ItemState::WAITING || item.product_id != reply.product_id) return false;
  item.state = reply.granted  ? ItemState::RESERVED
               : reply.known ? ItemState::REFUSED
                             : ItemState::UNKNOWN;
  item.price = reply.price;
  item.name = reply.name;
  if (saga_.status == SagaStatus::RESERVING) {
    if (!any(saga_.items, ItemState::WAITING)) decide_reservation();
    return true;
  }
  // The order was cancelled while this answer was on its way.
  if (item.state == ItemState::RESERVED) {
    auto& released = event(EventType::INVENTORY_RELEASED);
    released.items = {item};
    item.state = ItemState::RELEASED;
    emit(released);
  }
  if (!any(saga_.items, ItemState::WAITING)) saga_.items.clear();
  return true;
}

void SagaProcessor::decide_reservation() {
  const bool unknown = any(saga_.items, ItemState::UNKNOWN);
  if (unknown || any(saga_.items, ItemState::REFUSED)) {
    const Reason reason = unknown ? Reason::UNKNOWN_PRODUCT : Reason::OUT_OF_STOCK;
    if (!unknown) saga_.total_amount = saga_.final_amount = total_of(saga_.items);
    auto& insufficient = event_with_items(EventType::INVENTORY_INSUFFICIENT);
    insufficient.reason = reason;
    emit(insufficient);
    return cancel(reason, Cause::SAGA, false);
  }
  saga_.total_amount = total_of(saga_.items);
  saga_.final_amount = saga_.total_amount;
  if (!saga_.coupon_id.empty()) {
    saga_.status = SagaStatus::RESERVING_COUPON;
    saga_.coupon_asked = true;
    return emit(event_with_items(EventType::INVENTORY_DEDUCTED));
  }
  go_on(event_with_items(EventType::INVENTORY_DEDUCTED));
}

void SagaProcessor::go_on(OrderEvent& reserved) {
  saga_.status = saga_.pay_now ? SagaStatus::PAYING : SagaStatus::PENDING;
  saga_.payment_asked = saga_.pay_now;
  reserved.pay_now = saga_.pay_now;
  emit(reserved);
}

bool SagaProcessor::handle(const CouponReply& reply) {
  if (!exists_ || !saga_.coupon_asked) return false;
  saga_.coupon_asked = false;
  if (saga_.status == SagaStatus::RESERVING_COUPON && reply.granted) {
    saga_.coupon_held = true;
    saga_.final_amount = discounted(saga_.total_amount, reply);
    go_on(event_with_items(EventType::COUPON_RESERVED));
  } else if (saga_.status == SagaStatus::RESERVING_COUPON) {
    auto& refused = event(EventType::COUPON_REFUSED);
    refused.reason = Reason::COUPON_INVALID;
    emit(refused);
    cancel(Reason::COUPON_INVALID, Cause::SAGA, true);
  } else if (reply.granted) {
    // The order was cancelled while this answer was on its way.
    emit(event(EventType::COUPON_RELEASED));
  }
  return true;
}

bool SagaProcessor::handle(const PaymentReply& reply) {
  if (!exists_ || !saga_.payment_asked) return false;
  saga_.payment_asked = false;
  const bool paying = saga_.status == SagaStatus::PAYING;
  if (paying && reply.accepted) {
    complete(reply);
    return true;
  }
  const Reason reason = reply.charged ? Reason::PAYMENT_FAILED : Reason::INSUFFICIENT_BALANCE;
  if (paying) {
    auto& failed = event(EventType::PAYMENT_FAILED);
    failed.reason = reason;
    emit(failed);
  }
  // The account was charged, but the order was cancelled meanwhile, or the provider said no.
  if (reply.accepted || reply.charged) give_back(reply);
  if (paying) cancel(reason, Cause::SAGA, true);
  return true;
}

void SagaProcessor::give_back(const PaymentReply& reply) {
  auto& refunded = event(EventType::PAYMENT_REFUNDED);
  refunded.payment_id = reply.payment_id;
  if (reply.unknown) refunded.reason = Reason::PAYMENT_FAILED;
  emit(refunded);
}

void SagaProcessor::complete(const PaymentReply& reply) {
  saga_.status = SagaStatus::COMPLETED;
  auto& paid = event(EventType::PAYMENT_COMPLETED);
  paid.payment_id = reply.payment_id;
  emit(paid);
  auto& shipped = event(EventType::SHIPMENT_CREATED);
  shipped.shipment = shipment_json(record_->key, saga_.shipment);
  emit(shipped);
  if (saga_.storage_wanted) {
    auto& stored = event(EventType::STORAGE_CREATED);
    stored.storage = storage_json(record_->key);
    emit(stored);
  }
  auto& completed = event(EventType::ORDER_COMPLETED);
  completed.payment_id = reply.payment_id;
  completed.items.swap(saga_.items);  // Nothing more can happen to them.
  emit(completed);
  saga_.shipment.clear();
}

bool SagaProcessor::handle(const OrderCancel& cancel) {
  return cancel_from_outside(cancel.reason, Cause::ORDER_CANCEL);
}

bool SagaProcessor::handle(const StockRollback&) {
  return cancel_from_outside(Reason::PAYMENT_FAILED, Cause::STOCK_ROLLBACK);
}

bool SagaProcessor::cancel_from_outside(Reason reason, Cause cause) {
  if (!exists_) {
    // `order.start` is another topic and may be behind: the cancellation waits for it.
    saga_.status = SagaStatus::CANCELLED_EARLY;
    saga_.user_id = record_->value.user_id;
    saga_.reason = reason;
    saga_.cause = cause;
    return true;
  }
  if (finished()) return false;  // Also our own cancellations, which come back over the topic.
  cancel(reason, cause, saga_.status != SagaStatus::RESERVING);
  return true;
}

bool SagaProcessor::handle(const SagaTimeout& timeout) {
  if (!exists_ || finished() || timeout.deadline != saga_.deadline) return false;
  cancel(Reason::TIMEOUT, Cause::SAGA, saga_.status != SagaStatus::RESERVING);
  return true;
}

void SagaProcessor::cancel(Reason reason, Cause cause, bool deducted) {
  auto& cancelled = event_with_items(EventType::ORDER_CANCELLED);
  cancelled.reason = reason;
  cancelled.cause = cause;
  cancelled.deducted = deducted;
  emit(cancelled);
  saga_.status = SagaStatus::CANCELLED;
  saga_.reason = reason;
  saga_.coupon_held = false;  // The event gives it back.
  saga_.shipment.clear();
  for (Item& item : saga_.items) {
    if (item.state == ItemState::RESERVED) item.state = ItemState::RELEASED;
  }
  if (!any(saga_.items, ItemState::WAITING)) saga_.items.clear();
}

bool SagaProcessor::handle(const ProcessOrder& process) { return pay(&process.request); }

bool SagaProcessor::handle(const ProcessPayment&) { return pay(nullptr); }

bool SagaProcessor::pay(const OrderOptions* request) {
  if (!exists_) {
    context().task().dropped("saga", "asked to process an order that does not exist");
    return false;
  }
  // Asked before: what was asked first holds.
  if (finished() || saga_.status == SagaStatus::PAYING || saga_.pay_now) return false;
  if (request) {
    if (!request->shipment.empty()) saga_.shipment = request->shipment;
    saga_.storage_wanted = saga_.storage_wanted || request->storage_wanted;
    if (request->pay_later) return true;
  }
  saga_.pay_now = true;
  saga_.deadline = deadline();
  auto& requested = event(EventType::PAYMENT_REQUESTED);
  if (saga_.status == SagaStatus::PENDING) {
    saga_.status = SagaStatus::PAYING;
    saga_.payment_asked = true;
    requested.pay_now = true;
  }
  emit(requested);
  return true;
}

// --- Timers ---------------------------------------------------------------------------------

void TimerProcessor::init(ProcessorContext<std::string, SagaTimeout>& context) {
  Processor::init(context);
  timers_ = &context.key_value_store<std::string, bool>(kStore);
  context.task().schedule(resolution_, PunctuationType::kWallClockTime, "saga-timer",
                          [this](Timestamp now) { fire(now); });
}

void TimerProcessor::process(const RecordRef<std::string, OrderEvent>& record) {
  const OrderEvent& event = record.value;
  timer_key(event.deadline, event.order_id, key_);
  if (event.type == EventType::ORDER_CREATED || event.type == EventType::PAYMENT_REQUESTED) {
    timers_->put(key_, true);
  } else if (event.type == EventType::ORDER_COMPLETED ||
             event.type == EventType::ORDER_CANCELLED) {
    timers_->remove(key_);
  }
}

void TimerProcessor::fire(Timestamp now) {
  std::string until;
  timer_key(to_millis(now) + 1, {}, until);
  std::vector<std::string> due;
  {
    const auto timers = timers_->range(std::nullopt, until);
    for (; timers->valid(); timers->next()) due.push_back(timers->key());
  }
  for (const auto& key : due) {
    timers_->remove(key);
    context().forward(key.substr(17), SagaTimeout{std::stoll(key.substr(0, 16))}, now, kNoHeaders);
  }
}

}  // namespace thalweg::shop
