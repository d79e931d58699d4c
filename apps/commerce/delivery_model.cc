#include "delivery_model.h"

#include <algorithm>
#include <limits>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <thalweg/runtime/json_text.h>
#include <thalweg/schemas/json.h>

#include "json_fields.h"
#include "text.h"

namespace thalweg {
namespace shop {
namespace {

/// People ask by hand: whoever sends a request again does so long before as many others.
constexpr std::size_t kCommandsKept = 100;

void read_event(JsonFields& fields, Faults& faults, ExternalEvent& out) {
  const auto type = fields.optional_text("type");
  if (!type) {
    out.id = fields.text("paymentId");
    out.order_id = fields.text("orderId");
    fields.integer("amount", 0, std::numeric_limits<std::int64_t>::max());
    out.lane = out.order_id;
    out.path = "/webhooks/payment-completed";
  } else if (*type == "COUPON_ISSUED") {
    out.id = fields.text("couponHistoryId");
    fields.text("couponId");
    out.lane = fields.text("userId");
    out.path = "/webhooks/coupon-issued";
  } else {
    faults.push_back("type: nobody is told of \"" + *type + "\"");
  }
}

DeliveryStep step_after(AsyncStep step) {
  switch (step) {
    case AsyncStep::kStarted:
      return DeliveryStep::IN_PROGRESS;
    case AsyncStep::kCompleted:
      return DeliveryStep::COMPLETED;
    case AsyncStep::kRetrying:
      return DeliveryStep::FAILED;
    case AsyncStep::kGivenUp:
      break;
  }
  return DeliveryStep::DEAD_LETTER;
}

void publish(const DeliveryEvent& event, Delivery& row) {
  row.status = DeliveryStatus::PUBLISHED;
  row.lane = event.lane;
  row.order_id = event.order_id;
  row.path = event.path;
  row.payload = event.payload;
  row.source = event.source;
  row.source_partition = event.source_partition;
  row.source_offset = event.source_offset;
  row.receiver = event.receiver;
  row.published_at = event.at;
}

/// By kind and id: a client may use one key for each letter, whatever it asks.
std::string name_of_command(const DeliveryEvent& command) {
  return fb::EnumNameDeliveryStep(command.step) + (' ' + command.command_id);
}

void note_command(const DeliveryEvent& command, Delivery& row) {
  if (command.command_id.empty()) return;
  row.command_id = command.command_id;
  if (row.commands.size() >= kCommandsKept) row.commands.erase(row.commands.begin());
  row.commands.push_back(name_of_command(command));
}

}  // namespace

bool was_obeyed(const Delivery& row, const DeliveryEvent& command) {
  return !command.command_id.empty() &&
         std::ranges::find(row.commands, name_of_command(command)) != row.commands.end();
}

Delivery apply(const DeliveryEvent& event, Delivery row) {
  const bool is_asked_first = row.status == DeliveryStatus::DEAD_LETTER && !was_obeyed(row, event);
  row.accepted = true;
  switch (event.step) {
    case DeliveryStep::PUBLISHED:
      publish(event, row);
      break;
    case DeliveryStep::IN_PROGRESS:
      row.status = DeliveryStatus::IN_PROGRESS;
      ++row.attempts;
      break;
    case DeliveryStep::COMPLETED:
      row.status = DeliveryStatus::COMPLETED;
      break;
    case DeliveryStep::FAILED:
      row.status = DeliveryStatus::FAILED;
      row.last_error = event.error;
      break;
    case DeliveryStep::DEAD_LETTER:
      row.status = DeliveryStatus::DEAD_LETTER;
      row.last_error = event.error;
      break;
    case DeliveryStep::RETRY:
      row.accepted = is_asked_first;
      if (is_asked_first) row.status = DeliveryStatus::PUBLISHED;
      break;
    case DeliveryStep::DISCARD:
      row.accepted = is_asked_first;
      if (is_asked_first) row.status = DeliveryStatus::DISCARDED;
      break;
  }
  if (!row.accepted) return row;
  note_command(event, row);
  row.next_attempt_at = event.next_attempt_at;
  row.updated_at = event.at;
  return row;
}

DeliveryRequest request_of(const std::string& id, const Delivery& row) {
  DeliveryRequest request;
  request.id = id;
  request.lane = row.lane;
  request.order_id = row.order_id;
  request.path = row.path;
  request.payload = row.payload;
  request.source = row.source;
  request.source_partition = row.source_partition;
  request.source_offset = row.source_offset;
  request.receiver = row.receiver;
  return request;
}

DeliveryEvent published(const DeliveryRequest& request, std::int64_t at) {
  DeliveryEvent event;
  event.step = DeliveryStep::PUBLISHED;
  event.at = at;
  event.lane = request.lane;
  event.order_id = request.order_id;
  event.path = request.path;
  event.payload = request.payload;
  event.source = request.source;
  event.source_partition = request.source_partition;
  event.source_offset = request.source_offset;
  event.receiver = request.receiver;
  return event;
}

DeliveryEvent step_of(const DeliveryOutcome& outcome) {
  DeliveryEvent event;
  event.step = step_after(outcome.step);
  event.at = to_millis(outcome.at);
  event.error = outcome.error;
  if (outcome.next_attempt) event.next_attempt_at = to_millis(*outcome.next_attempt);
  return event;
}

std::string admin_alert(std::int64_t at, std::string_view source, std::string_view key,
                        std::string_view reason) {
  std::string json;
  JsonWriter(json).time("at", at).text("source", source).text("key", key).text("reason", reason)
      .end();
  return json;
}

}  // namespace shop

void Serde<shop::ExternalEvent>::deserialize(BytesView bytes, shop::ExternalEvent& out) {
  using namespace shop;
  out = {.json = std::string(bytes), .fault = {}, .id = {}, .lane = {}, .order_id = {}, .path = {}};
  const auto value = parse_json(bytes);
  if (!value) {
    out.fault = value.error().message;
    return;
  }
  const auto* object = value->if_object();
  if (!object) {
    out.fault = "the value is not a JSON object";
    return;
  }
  Faults faults;
  JsonFields fields(*object, faults);
  read_event(fields, faults, out);
  out.fault = join(faults);
}

SchemaPtr Serde<shop::ExternalEvent>::schema() { return Serde<JsonText>::schema(); }

}  // namespace thalweg
