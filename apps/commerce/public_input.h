#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include <boost/json/fwd.hpp>

#include <thalweg/schemas/bytes.h>
#include <thalweg/schemas/json.h>
#include <thalweg/schemas/timestamp.h>

#include "json_fields.h"
#include "shop_config.h"

// How records of public topics are read: JSON objects, of which everything that is wrong is named.
namespace thalweg::shop {

/// Calls `read(fields, faults)` with the members of the object. Throws SerdeError with all faults,
/// or when it is no JSON object: the record goes to its topic's dead letters.
void read_json_object(BytesView bytes,
                      const std::function<void(JsonFields& fields, Faults& faults)>& read);

/// Calls `read(fields)` for each element of the array `name`; one that is no object is a fault.
void for_each_object(const boost::json::array& array, std::string_view name, Faults& faults,
                     const std::function<void(JsonFields& fields)>& read);

/// The member, an ISO-8601 time in UTC, in milliseconds; absent when it is missing or a fault.
std::optional<std::int64_t> read_time(JsonFields& fields, std::string_view name);

/// How far ahead of the shop's clock a record may be: more than clocks and time zones differ.
inline constexpr std::chrono::hours kAheadMost{24};

/// Tells the time of a record that others wrote: its own. A time before 1970 or too far ahead is no
/// time: the record goes to its topic's dead letters. One that is believed ends the windows of all
/// who come after it, and there are no windows at the end of time.
class TimeOfOthers {
 public:
  explicit TimeOfOthers(const ShopConfig& config) : clock_(config.clock) {}

  /// `time`, if it can be. Throws SerdeError.
  Timestamp checked(Timestamp time) const;
  /// As a timestamp extractor.
  template <typename K, typename V>
  Timestamp operator()(const K&, const V&, Timestamp record_time, Timestamp) const {
    return checked(record_time);
  }

 private:
  const Clock* clock_;
};

}  // namespace thalweg::shop
