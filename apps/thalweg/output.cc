#include "output.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "exit_codes.h"

namespace thalweg::cli {
namespace {

constexpr std::string_view kGap = "  ";
constexpr std::size_t kLeastLast = 12;  // What the last column keeps on the narrowest terminal.

/// Characters of UTF-8 text, each taken for one column.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

/// The first `width` characters; the last of them is an ellipsis if there are more.
std::string fitted(std::string_view text, std::size_t width) {
  if (width_of(text) <= width) return std::string(text);
  std::size_t seen = 0;
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    if ((text[end] & 0xc0) != 0x80 && seen++ == width - 1) break;
  }
  return std::string(text.substr(0, end)) + "…";
}

void append_padded(std::string_view text, std::size_t width, Table::Align align, bool last,
                   std::string& out) {
  const std::size_t own = width_of(text);
  const std::string padding(width > own ? width - own : 0, ' ');
  if (align == Table::Align::kRight) out += padding;
  out += text;
  if (align == Table::Align::kLeft && !last) out += padding;
}

/// The text with each control character replaced, those of two bytes (U+0080 to U+009F) as well:
/// what others wrote must not steer the terminal.
template <typename Replace>
std::string without_controls(std::string_view text, Replace replace) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {
      replace(static_cast<unsigned char>(next), out);
      ++i;
    } else if (byte < 0x20 || byte == 0x7f) {
      replace(byte, out);
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

OutputStyle OutputStyle::of_this_process() {
  OutputStyle style;
  style.terminal = ::isatty(STDOUT_FILENO) == 1;
  winsize size{};
  if (style.terminal && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) style.columns = size.ws_col;
  return style;
}

std::string Table::to_text(const OutputStyle& style) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = width_of(columns_[i].heading);
    for (const auto& row : rows_) width = std::max(width, width_of(row[i]));
    widths.push_back(width);
  }
  std::size_t total = kGap.size() * (columns_.size() - 1);
  for (const auto width : widths) total += width;
  if (style.columns > 0 && total > style.columns) {
    const std::size_t rest = total - widths.back();
    const std::size_t room = style.columns > rest ? style.columns - rest : 0;
    widths.back() = std::clamp(room, std::min(kLeastLast, widths.back()), widths.back());
  }
  std::string out;
  const auto append_row = [&](auto&& cell_at) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) out += kGap;
      const bool last = i + 1 == columns_.size();
      const std::string text = last ? fitted(cell_at(i), widths[i]) : std::string(cell_at(i));
      append_padded(text, widths[i], columns_[i].align, last, out);
    }
  };
  if (style.terminal) out += "\x1b[1m";
  append_row([&](std::size_t i) -> std::string_view { return columns_[i].heading; });
  if (style.terminal) out += "\x1b[0m";
  out += '\n';
  for (const auto& row : rows_) {
    append_row([&](std::size_t i) -> std::string_view { return row[i]; });
    out += '\n';
  }
  return out;
}

void print(std::string_view text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written) {
    throw CommandError(kFailed, std::string("cannot write the answer: ") + std::strerror(errno));
  }
}

void print(const Table& table, const OutputStyle& style, std::string_view none) {
  if (table.empty()) return remark(none);
  print(table.to_text(style));
}

void print_json(const boost::json::value& value) { print(boost::json::serialize(value) + "\n"); }

void remark(std::string_view text) {
  std::string line = without_controls(text, [](unsigned char c, std::string& out) {
    out += c == '\n' || c == '\t' ? std::string(1, static_cast<char>(c))
                                  : fmt::format("\\x{:02x}", static_cast<unsigned>(c));
  });
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string cell(const boost::json::value& value) {
  if (value.is_null()) return "-";
  std::string text =
      value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
  return without_controls(text, [](unsigned char, std::string& out) { out += ' '; });
}

std::string time_cell(std::int64_t millis) {
  if (millis < 0) return "-";
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(millis)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::string count_cell(std::int64_t count) {
  std::string digits = std::to_string(count);
  const std::size_t first = count < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string duration_cell(std::int64_t millis) {
  if (millis < 0) return "forever";
  constexpr std::pair<std::int64_t, std::string_view> kUnits[] = {
      {86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1'000, "s"}};
  for (const auto& [length, unit] : kUnits) {
    if (millis > 0 && millis % length == 0)
      return std::to_string(millis / length) + std::string(unit);
  }
  return std::to_string(millis) + "ms";
}

}  // namespace thalweg::cli
