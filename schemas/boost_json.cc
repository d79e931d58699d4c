// The one translation unit of the project that holds Boost.JSON's definitions; everybody else
// includes its declarations and links this library.
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp>

#include <thalweg/schemas/error.h>

#include "json_text.h"

namespace thalweg::internal {
namespace {

constexpr std::size_t kMaxJsonDepth = 64;

/// Listens to a parser and keeps nothing: the text is only to be checked.
struct IgnoreAll {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  using Code = boost::system::error_code;
  using Text = boost::json::string_view;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t, Code&) { return true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(Text, std::size_t, Code&) { return true; }
  bool on_key(Text, std::size_t, Code&) { return true; }
  bool on_string_part(Text, std::size_t, Code&) { return true; }
  bool on_string(Text, std::size_t, Code&) { return true; }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t, Text, Code&) { return true; }
  bool on_uint64(std::uint64_t, Text, Code&) { return true; }
  bool on_double(double, Text, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }
};

}  // namespace

void check_json(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  boost::json::basic_parser<IgnoreAll> parser(options);
  boost::system::error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (!error && read < text.size()) error = boost::json::error::extra_data;
  if (error) {
    throw SerdeError("not a JSON value: " + error.message() + " at byte " + std::to_string(read) +
                     " of " + quoted_excerpt(text));
  }
}

std::string json_string_value(std::string_view type, std::string_view json) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(json, error);
  if (error || !value.is_string()) {
    throw SerdeError(std::string(type) + " needs a JSON string, got " + quoted_excerpt(json));
  }
  return std::string(value.get_string());
}

}  // namespace thalweg::internal
