#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

namespace thalweg::cli {

// Reads members of answers. What is missing or of another kind reads as nothing: an older or newer
// application is still worth showing.

inline const boost::json::value* find_member(const boost::json::value& object,
                                             std::string_view name) {
  const auto* members = object.if_object();
  return members ? members->if_contains(name) : nullptr;
}

/// The member, or null.
inline const boost::json::value& member(const boost::json::value& object, std::string_view name) {
  static const boost::json::value kNull;
  const auto* found = find_member(object, name);
  return found ? *found : kNull;
}

inline std::string text_of(const boost::json::value& object, std::string_view name) {
  const auto& value = member(object, name);
  return value.is_string() ? std::string(value.get_string()) : std::string();
}

inline std::int64_t number_of(const boost::json::value& object, std::string_view name,
                              std::int64_t otherwise = 0) {
  const auto& value = member(object, name);
  if (value.is_int64()) return value.get_int64();
  return otherwise;
}

inline bool flag_of(const boost::json::value& object, std::string_view name) {
  const auto& value = member(object, name);
  return value.is_bool() && value.get_bool();
}

/// The elements of the array that the member is; none if it is none.
inline const boost::json::array& array_of(const boost::json::value& object, std::string_view name) {
  static const boost::json::array kNone;
  const auto& value = member(object, name);
  return value.is_array() ? value.get_array() : kNone;
}

inline std::vector<std::string> texts_of(const boost::json::value& object, std::string_view name) {
  std::vector<std::string> texts;
  for (const auto& value : array_of(object, name)) {
    if (value.is_string()) texts.emplace_back(value.get_string());
  }
  return texts;
}

}  // namespace thalweg::cli
