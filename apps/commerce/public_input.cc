#include "public_input.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <thalweg/runtime/clock.h>
#include <thalweg/runtime/json_text.h>

#include "text.h"

namespace thalweg::shop {

void read_json_object(BytesView bytes,
                      const std::function<void(JsonFields& fields, Faults& faults)>& read) {
  const auto value = parse_json(bytes);
  if (!value) throw SerdeError(value.error().message);
  const auto* object = value->if_object();
  if (!object) throw SerdeError("the value is not a JSON object");
  Faults faults;
  JsonFields fields(*object, faults);
  read(fields, faults);
  if (!faults.empty()) throw SerdeError(join(faults));
}

void for_each_object(const boost::json::array& array, std::string_view name, Faults& faults,
                     const std::function<void(JsonFields& fields)>& read) {
  for (std::size_t i = 0; i < array.size(); ++i) {
    const std::string path = std::string(name) + "[" + std::to_string(i) + "]";
    if (const auto* object = array[i].if_object()) {
      JsonFields fields(*object, faults, path + ".");
      read(fields);
    } else {
      faults.push_back(path + " is not an object");
    }
  }
}

std::optional<std::int64_t> read_time(JsonFields& fields, std::string_view name) {
  const auto text = fields.optional_text(name, 40);
  if (!text) return {};
  const auto millis = parse_iso8601(*text);
  if (!millis) fields.fault(name, "is no ISO-8601 time in UTC, such as 2026-11-21T09:30:00.123Z");
  return millis;
}

Timestamp TimeOfOthers::checked(Timestamp time) const {
  if (time < from_millis(0)) throw SerdeError("the record's time is before 1970");
  if (clock_ && time > clock_->wall_clock() + kAheadMost) {
    throw SerdeError("the record's time, " + std::to_string(to_millis(time)) +
                     ", is more than a day ahead of the shop's clock");
  }
  return time;
}

}  // namespace thalweg::shop
