#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>

#include <thalweg/schemas/serde.h>

namespace thalweg {

/// How print() writes a stream: a line for each record, for looking at.
template <typename K, typename V>
struct Printed {
  std::string name = {};        ///< Of the node.
  std::string label = {};       ///< In front of each line, in brackets; empty: the stream's name.
  std::ostream* out = nullptr;  ///< Null: standard output. Outlives the application.
  /// Absent: `key, value`, as operator<< writes them.
  std::function<std::string(const K& key, const V& value)> mapper = {};
};

/// How print_table() draws a table.
template <typename K, typename V>
struct PrintedTable {
  std::string name = {};        ///< Of the node.
  std::string title = {};       ///< Empty: the table's name.
  std::ostream* out = nullptr;  ///< Null: standard output. Outlives the application.
  std::size_t rows = 20;        ///< At most: those that changed last.
  std::chrono::milliseconds interval{500};  ///< Drawn so often if anything changed.
};

namespace internal {

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

/// Standard output.
std::ostream& standard_output();

template <typename T>
  requires Printable<payload_t<T>>
std::string printed_text(const T& value) {
  std::ostringstream text;
  if constexpr (is_nullable<T>) {
    if (!value) return "null";
    text << *value;
  } else {
    text << value;
  }
  return text.str();
}

}  // namespace internal
}  // namespace thalweg
