#include "saga_command.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <thalweg/runtime/json_text.h>

#include "digest.h"

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
  out.user_id.clear();
  const auto value = parse_json(bytes);
  if (!value) return unreadable(value.error().message);
  const auto* object = value->if_object();
  if (!object) return unreadable("the value is not a JSON object");
  Faults faults;
  JsonFields fields(*object, faults);
  out.order_id = fields.text("orderId");
  out.content = parse(fields, faults);
  if (!std::holds_alternative<OrderStart>(out.content)) {
    out.user_id = fields.optional_text("userId").value_or(std::string());
  }
  if (!faults.empty()) unreadable(join(faults));
}

SagaCommand::Content parse_order_start(JsonFields& fields, Faults& faults) {
  OrderStart start;
  start.user_id = fields.text("userId");
  start.items = read_items(fields, faults);
  return start;
}

SagaCommand::Content parse_order_cancel(JsonFields& fields, Faults&) {
  return OrderCancel{cancel_reason(fields.optional_text("reason").value_or(std::string()))};
}

SagaCommand::Content parse_stock_rollback(JsonFields&, Faults&) { return StockRollback{}; }

SagaCommand::Content parse_process_order(JsonFields& fields, Faults& faults) {
  ProcessOrder process;
  const auto* request = fields.object("request");
  if (!request) return process;
  JsonFields inner(*request, faults, "request.");
  process.request = read_options(inner);
  return process;
}

SagaCommand::Content parse_process_payment(JsonFields&, Faults&) { return ProcessPayment{}; }

std::string read_order_options(std::string_view header, OrderOptions& out) {
  const std::string name = "the header " + std::string(kOrderOptionsHeader);
  const auto value = parse_json(header);
  if (!value) return name + ": " + value.error().message;
  const auto* object = value->if_object();
  if (!object) return name + " is not a JSON object";
  Faults faults;
  JsonFields fields(*object, faults);
  out = read_options(fields);
  return faults.empty() ? std::string() : name + ": " + join(faults);
}

std::int64_t options_digest(std::string_view header) {
  if (header.empty()) return 0;
  const Digest digest = sha256(header);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 8; ++i) bits = bits << 8 | digest[i];
  return static_cast<std::int64_t>(bits);
}

}  // namespace thalweg::shop
