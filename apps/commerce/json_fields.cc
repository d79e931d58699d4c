#include "json_fields.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <thalweg/runtime/json_text.h>

namespace thalweg::shop {
namespace json = boost::json;

std::string join(const Faults& faults) {
  std::string all;
  for (const auto& fault : faults) {
    if (!all.empty()) all += "; ";
    all += fault;
  }
  return all;
}

bool has_control_characters(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

bool is_id(std::string_view text) {
  return text.size() <= kIdLengthMax && !has_control_characters(text) && is_utf8(text);
}

std::string id_fault() {
  return "is longer than " + std::to_string(kIdLengthMax) +
         " bytes, has control characters or is not UTF-8";
}

const json::value* JsonFields::present(std::string_view name) const {
  const auto* value = object_.if_contains(json::string_view(name.data(), name.size()));
  return value && !value->is_null() ? value : nullptr;
}

void JsonFields::fault(std::string_view name, std::string_view what) {
  faults_.push_back(path_ + std::string(name) + " " + std::string(what));
}

std::string JsonFields::text(std::string_view name, std::size_t length_max) {
  if (!present(name)) {
    fault(name, "is missing");
    return {};
  }
  auto value = optional_text(name, length_max);
  if (value && value->empty()) fault(name, "is empty");
  return std::move(value).value_or(std::string());
}

std::optional<std::string> JsonFields::optional_text(std::string_view name,
                                                     std::size_t length_max) {
  const auto* value = present(name);
  if (!value) return {};
  const auto* string = value->if_string();
  if (!string) {
    fault(name, "is not a string");
    return {};
  }
  if (string->size() > length_max) {
    fault(name, "is longer than " + std::to_string(length_max) + " bytes");
    return {};
  }
  std::string text(string->data(), string->size());
  if (has_control_characters(text)) {
    fault(name, "has control characters");
    return {};
  }
  return text;
}

std::int64_t JsonFields::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  if (!present(name)) {
    fault(name, "is missing");
    return min;
  }
  return optional_integer(name, min, max).value_or(min);
}

std::optional<std::int64_t> JsonFields::optional_integer(std::string_view name, std::int64_t min,
                                                         std::int64_t max) {
  const auto* value = present(name);
  if (!value) return {};
  const auto* number = value->if_int64();
  if (!number && !value->if_uint64()) {
    fault(name, "is not a whole number");
    return {};
  }
  if (!number || *number < min || *number > max) {
    fault(name, "is not between " + std::to_string(min) + " and " + std::to_string(max));
    return {};
  }
  return *number;
}

std::optional<bool> JsonFields::optional_boolean(std::string_view name) {
  const auto* value = present(name);
  if (!value) return {};
  if (const auto* boolean = value->if_bool()) return *boolean;
  fault(name, "is neither true nor false");
  return {};
}

std::string JsonFields::optional_object(std::string_view name) {
  const auto* value = object(name);
  return value ? json::serialize(*value) : std::string();
}

const json::object* JsonFields::object(std::string_view name) {
  const auto* value = present(name);
  if (!value) return nullptr;
  if (!value->is_object()) fault(name, "is not an object");
  return value->if_object();
}

const json::array* JsonFields::array(std::string_view name, std::size_t size_max) {
  const auto* value = present(name);
  if (!value) {
    fault(name, "is missing");
    return nullptr;
  }
  const auto* array = value->if_array();
  if (!array) {
    fault(name, "is not an array");
    return nullptr;
  }
  if (array->empty() || array->size() > size_max) {
    fault(name, "does not have 1 to " + std::to_string(size_max) + " elements");
    return nullptr;
  }
  return array;
}

std::vector<ItemRequest> read_items(JsonFields& fields, Faults& faults) {
  std::vector<ItemRequest> items;
  const auto* array = fields.array("items", kItemsMax);
  if (!array) return items;
  for (std::size_t i = 0; i < array->size(); ++i) {
    const auto* object = (*array)[i].if_object();
    if (!object) {
      fields.fault("items[" + std::to_string(i) + "]", "is not an object");
      continue;
    }
    JsonFields item(*object, faults, "items[" + std::to_string(i) + "].");
    ItemRequest request{item.text("productId"), item.integer("quantity", 1, kQuantityMax)};
    const auto same = std::ranges::find(items, request.product_id, &ItemRequest::product_id);
    if (same == items.end()) {
      items.push_back(std::move(request));
    } else {
      same->quantity += request.quantity;
    }
  }
  // What is written of the order has one item for each product, and is read by the same rules.
  for (const auto& item : items) {
    if (item.quantity <= kQuantityMax) continue;
    faults.push_back("items have more than " + std::to_string(kQuantityMax) + " of " +
                     item.product_id);
  }
  return items;
}

OrderOptions read_options(JsonFields& fields) {
  OrderOptions options;
  if (const auto payment = fields.optional_text("payment")) {
    if (*payment != "auto" && *payment != "later") {
      fields.fault("payment", "is neither auto nor later");
    }
    options.pay_later = *payment == "later";
  }
  options.shipment = fields.optional_object("shipment");
  options.storage_wanted = fields.optional_boolean("warehouseStorage").value_or(false);
  options.coupon_id = fields.optional_text("couponId").value_or(std::string());
  return options;
}

}  // namespace thalweg::shop
