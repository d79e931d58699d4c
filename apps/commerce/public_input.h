#pragma once

#include <functional>
#include <optional>

#include <boost/json/fwd.hpp>

#include <thalweg/schemas/bytes.h>
#include <thalweg/schemas/json.h>

#include "json_fields.h"

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

}  // namespace thalweg::shop
