#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

namespace thalweg::cli {

/// How answers are printed.
struct OutputStyle {
  bool json = false;
  bool terminal = false;    ///< Standard output is one: headings stand out, rows fit its width.
  std::size_t columns = 0;  ///< Of the terminal; 0: as wide as it takes.

  /// As standard output is.
  static OutputStyle of_this_process();
};

/// Rows under headings, each column as wide as its widest cell. On a terminal the last column gives
/// way when a row would not fit.
class Table {
 public:
  enum class Align : std::uint8_t { kLeft, kRight };
  struct Column {
    std::string heading;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  std::string to_text(const OutputStyle& style) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Writes to standard output; throws CommandError when nobody can take it (a full disk). A reader
/// that went away (`| head`) ends the program quietly, as other tools end.
void print(std::string_view text);
/// A table, or `none` as a remark when it is empty.
void print(const Table& table, const OutputStyle& style, std::string_view none);
/// One line of JSON.
void print_json(const boost::json::value& value);
/// A remark beside the answer: to standard error.
void remark(std::string_view text);

/// The text of a cell: strings as they are, all else as JSON; line breaks and other control
/// characters do not break the table.
std::string cell(const boost::json::value& value);
/// 1795326490894 as 2026-11-22T05:48:10.894Z; "-" for none.
std::string time_cell(std::int64_t millis);
/// 1234567 as 1,234,567.
std::string count_cell(std::int64_t count);
/// For how long, in the largest unit that says it exactly: 7d, 90m, 1500ms; "forever" below 0.
std::string duration_cell(std::int64_t millis);

}  // namespace thalweg::cli
