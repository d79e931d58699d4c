#include "saga_command.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <thalweg/runtime/json_text.h>

namespace thalweg::shop {
namespace {

Reason cancel_reason(std::string_view text) {
  for (const Reason reason : fb::EnumValuesReason()) {
    if (reason != Reason::NONE && text == fb::EnumNameReason(reason)) return reason;
  }
  return Reason::PAYMENT_FAILED;  // What a cancellation from outside meant in the old systems.
}

}  // namespace

void JsonCommandSerde::serialize(const SagaCommand& command, std::string& out) const {
  out += command.bytes;
}

void JsonCommandSerde::deserialize(BytesView bytes, SagaCommand& out) const {
  const auto unreadable = [&](std::string reason) {
    out.content = Unreadable{std::move(reason)};
  };
  out.bytes.assign(bytes);
  out.order_id.clear();
  const auto value = parse_json(bytes);
  if (!value) return unreadable(value.error().message);
  const auto* object = value->if_object();
  if (!object) return unreadable("the value is not a JSON object");
  Faults faults;
  JsonFields fields(*object, faults);
  out.order_id = fields.text("orderId");
  out.content = parse(fields, faults);
  if (!faults.empty()) unreadable(join(faults));
}

SagaCommand::Content parse_order_start(JsonFields& fields, Faults& faults) {
  OrderStart start{.user_id = fields.text("userId"), .items = {}};
  start.items = read_items(fields, faults);
  return start;
}

SagaCommand::Content parse_order_cancel(JsonFields& fields, Faults&) {
  return OrderCancel{cancel_reason(fields.optional_text("reason").value_or(std::string()))};
}

SagaCommand::Content parse_stock_rollback(JsonFields&, Faults&) { return StockRollback{}; }

SagaCommand::Content parse_process_order(JsonFields& fields, Faults& faults) {
  ProcessOrder process;
  const std::string request = fields.optional_object("request");
  if (request.empty()) return process;
  const auto value = parse_json(request);
  if (!value) return process;  // It was written by our own serialiser a line above.
  JsonFields inner(value->as_object(), faults, "request.");
  process.request = read_options(inner);
  return process;
}

SagaCommand::Content parse_process_payment(JsonFields&, Faults&) { return ProcessPayment{}; }

}  // namespace thalweg::shop
