#include "processed_orders.h"

#include <algorithm>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <thalweg/runtime/json_text.h>
#include <thalweg/state/stores.h>

#include "dead_letters.h"
#include "text.h"
#include "topics.h"
#include "topologies.h"

namespace thalweg::shop {
namespace {

using Id = std::string;

/// When rows expire: times that sort as text, each followed by an order's id.
constexpr const char* kExpiries = "order-processed-expiries";
constexpr std::size_t kDigits = 16;

std::string expiry_key(std::int64_t millis, std::string_view order_id) {
  std::string digits = std::to_string(millis);
  return std::string(kDigits - std::min(kDigits, digits.size()), '0') + digits +
         std::string(order_id);
}

constexpr const char* kUnreadable = "unreadable-processed-orders";
constexpr const char* kNew = "new-processed-orders";

/// Keeps rows that are gone after a time, and sends on what is new, and what is no order.
class KeepForAWhile final
    : public Processor<std::optional<Id>, Bytes, std::optional<Id>, Bytes> {
 public:
  KeepForAWhile(std::chrono::milliseconds time_to_live, std::chrono::milliseconds resolution)
      : time_to_live_(time_to_live), resolution_(resolution) {}

  void init(ProcessorContext<std::optional<Id>, Bytes>& context) override {
    Processor::init(context);
    rows_ = &context.key_value_store<Id, JsonText>(stores::kProcessedOrders);
    expiries_ = &context.key_value_store<std::string, bool>(kExpiries);
    context.schedule(resolution_, PunctuationType::kWallClockTime,
                     [this](Timestamp now) { forget(now); });
  }

  void process(const RecordRef<std::optional<Id>, Bytes>& record) override {
    if (const auto fault = order_fault(record.key, record.value.data); !fault.empty()) {
      Headers headers = record.headers;
      add_error_headers(headers, "SerdeError", fault, origin_of(context().task().metadata()));
      return context().forward(record.key, record.value, record.timestamp, headers, kUnreadable);
    }
    const Id& order_id = *record.key;
    if (rows_->get(order_id)) return;
    const Timestamp expiry = context().task().wall_clock_time() + time_to_live_;
    rows_->put(order_id, JsonText{record.value.data});
    expiries_->put(expiry_key(to_millis(expiry), order_id), true);
    context().forward(record.key, record.value, record.timestamp, record.headers, kNew);
  }

 private:
  void forget(Timestamp now) {
    std::vector<std::string> due;
    {
      const auto entries = expiries_->range(std::nullopt, expiry_key(to_millis(now) + 1, {}));
      for (; entries->valid(); entries->next()) due.push_back(entries->key());
    }
    for (const auto& key : due) {
      expiries_->remove(key);
      rows_->remove(key.substr(kDigits));
    }
  }

  std::chrono::milliseconds time_to_live_;
  std::chrono::milliseconds resolution_;
  KeyValueStore<Id, JsonText>* rows_ = nullptr;
  KeyValueStore<std::string, bool>* expiries_ = nullptr;
};

}  // namespace

std::string order_fault(const std::optional<std::string>& key, const std::string& json) {
  const auto value = parse_json(json);
  if (!value) return value.error().message;
  const auto* object = value->if_object();
  if (!object) return "the value is not a JSON object";
  const auto* id = object->if_contains("orderId");
  // In public topics ids that are made of digits only may be numbers.
  const bool is_key = id && key &&
                      (id->is_string() ? std::string_view(id->get_string()) == *key
                                       : id->is_int64() && std::to_string(id->get_int64()) == *key);
  return is_key ? "" : "orderId is missing, or is not the record's key";
}

std::string day_of(const std::string& json, Timestamp record_time) {
  std::int64_t time = std::max<std::int64_t>(0, to_millis(record_time));
  const auto value = parse_json(json);
  const auto* object = value ? value->if_object() : nullptr;
  const auto* said = object ? object->if_contains("processedAt") : nullptr;
  if (said && said->is_string()) {
    const std::string_view text = said->get_string();
    if (const auto parsed = parse_iso8601(text)) time = *parsed;
  }
  const std::string text = iso8601(time);
  return text.substr(0, text.find('T'));
}

KStream<std::optional<std::string>, Bytes> keep_processed_orders(
    StreamsBuilder& builder, std::chrono::milliseconds time_to_live,
    std::chrono::milliseconds resolution) {
  builder.add_state_store(
      key_value_store_builder<Id, JsonText>(stores::kProcessedOrders, {.caching = true}));
  builder.add_state_store(
      key_value_store_builder<std::string, bool>(kExpiries, {.caching = true}));
  const auto kept =
      builder.stream<std::optional<Id>, Bytes>(topics::kOrderProcessed)
          .process([=] { return std::make_unique<KeepForAWhile>(time_to_live, resolution); },
                   {stores::kProcessedOrders, kExpiries}, {.name = "keep-processed-orders"});
  kept.map_values([](const Bytes& record) { return record; }, {.name = kUnreadable})
      .to(std::string(topics::kOrderProcessed) + ".dlq");
  return kept.map_values([](const Bytes& order) { return order; }, {.name = kNew});
}

}  // namespace thalweg::shop
