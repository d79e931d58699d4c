#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

namespace thalweg::shop {

/// What is wrong with a body, one sentence for each fault.
using Faults = std::vector<std::string>;

std::string join(const Faults& faults);

inline constexpr std::size_t kIdLengthMax = 200;
/// Whether the text can be an id where it did not come as JSON: not too long, UTF-8, and without
/// control characters. Keys of stores are made of ids and line ends.
bool is_id(std::string_view text);
/// What is to be said of a text that cannot.
std::string id_fault();
/// Of those of ASCII.
bool has_control_characters(std::string_view text);

/// Reads the members of a JSON object and notes each that is missing or not as it should be.
class JsonFields {
 public:
  /// `path` stands in front of member names in faults: `items[2].`
  JsonFields(const boost::json::object& object, Faults& faults, std::string path = {})
      : object_(object), faults_(faults), path_(std::move(path)) {}

  /// Whether there is such a member; one that is null counts as absent, here and below.
  bool has(std::string_view name) const { return present(name) != nullptr; }
  /// A text of 1 to `length_max` bytes; empty after a fault.
  std::string text(std::string_view name, std::size_t length_max = kIdLengthMax);
  /// Absent and null are no text.
  std::optional<std::string> optional_text(std::string_view name,
                                           std::size_t length_max = kIdLengthMax);
  std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max);
  std::optional<std::int64_t> optional_integer(std::string_view name, std::int64_t min,
                                               std::int64_t max);
  std::optional<bool> optional_boolean(std::string_view name);
  /// An object as JSON text; empty when it is absent or null.
  std::string optional_object(std::string_view name);
  /// The same as it is; null when there is none.
  const boost::json::object* object(std::string_view name);
  /// An array of 1 to `size_max` elements; null after a fault.
  const boost::json::array* array(std::string_view name, std::size_t size_max);

  void fault(std::string_view name, std::string_view what);

 private:
  const boost::json::value* present(std::string_view name) const;

  const boost::json::object& object_;
  Faults& faults_;
  std::string path_;
};

/// One product and how many of it, as orders name them.
struct ItemRequest {
  std::string product_id;
  std::int64_t quantity = 0;

  friend bool operator==(const ItemRequest&, const ItemRequest&) = default;
};

inline constexpr std::size_t kItemsMax = 100;
inline constexpr std::int64_t kQuantityMax = 1'000'000;
inline constexpr std::int64_t kAmountMax = 1'000'000'000'000;
inline constexpr std::int64_t kAgeMax = 150;
inline constexpr std::size_t kGenderLengthMax = 40;

/// `items:[{productId, quantity}]`; those of one product are added up, to kQuantityMax at most.
std::vector<ItemRequest> read_items(JsonFields& fields, Faults& faults);

/// What an order may say besides what it orders.
struct OrderOptions {
  bool pay_later = false;
  std::string shipment;  ///< A JSON object, or empty.
  bool storage_wanted = false;
  std::string coupon_id;
};
OrderOptions read_options(JsonFields& fields);

}  // namespace thalweg::shop
