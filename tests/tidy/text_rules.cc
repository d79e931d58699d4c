#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "rules.h"

namespace thalweg::tidy {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kLines = 500;

// Cut in two, so that this file keeps the rules it states.
// clang-format off
constexpr std::array<std::string_view, 3> kNotes = {"TO" "DO", "FIX" "ME", "X" "XX"};
constexpr std::array<std::string_view, 4> kMachinePaths = {
    "/ho" "me/", "/wo" "rk/", "/Us" "ers/", "/ro" "ot/"};
// clang-format on

/// Calls that bring in time, chance or sleep from outside.
constexpr std::string_view kUnseeded[] = {"system_clock::now",
                                          "steady_clock::now",
                                          "high_resolution_clock::now",
                                          "sleep_for",
                                          "sleep_until",
                                          "usleep",
                                          "nanosleep",
                                          "random_device",
                                          "rand(",
                                          "srand(",
                                          "gettimeofday",
                                          "clock_gettime",
                                          "time(nullptr)",
                                          "default_random_engine"};

struct Permit {
  std::string_view path;  ///< A file, or a folder with its slash.
  std::string_view call;  ///< Empty: any of them.
  std::string_view reason;
};

/// Who may call those, and why.
constexpr Permit kPermits[] = {
    {"runtime/clock.cc", "", "is the Clock and the seed of the process"},
    {"runtime/embedded/embedded_log.cc", "random_device", "names a new log, once in its life"},
    {"runtime/kafka/", "", "waits for brokers, which nobody can step"},
    {"apps/flashsale/", "", "measures a server from outside, in real time"},
    {"bench/", "", "measures real time"},
    {"tests/", "random_device", "picks a seed, which the test prints and takes back"},
    {"apps/thalweg/demo.cc", "", "places orders in real time"},
    {"apps/thalweg/topics_tail.cc", "sleep_for", "waits between two looks at a topic"},
    {"tests/end_to_end/", "", "watches real processes, which nobody can step"},
    {"tests/thalweg_cli/", "", "watches real processes, which nobody can step"},
    {"tests/kafka/", "", "waits for brokers, which nobody can step"},
    {"tests/flashsale/sale_test.cc", "", "stalls a server whose client measures real time"},
};

bool is_permitted(const SourceFile& file, std::string_view call) {
  return std::ranges::any_of(kPermits, [&](const Permit& permit) {
    return file.path.starts_with(permit.path) && (permit.call.empty() || permit.call == call);
  });
}

struct Longer {
  std::string_view path;
  std::size_t lines;
};

/// Files that were longer than the rule when it came. Numbers here only go down.
constexpr std::array<Longer, 0> kLonger = {};

/// Characters, not bytes: a column holds one, whatever its UTF-8 takes.
std::size_t columns_of(std::string_view line) {
  return static_cast<std::size_t>(
      std::ranges::count_if(line, [](char c) { return (c & 0xc0) != 0x80; }));
}

void check_line(const SourceFile& file, std::size_t number, const std::string& line,
                Offences& offences) {
  const auto offend = [&](std::string rule, std::string advice) {
    offences.push_back({file.path, number, std::move(rule), std::move(advice)});
  };
  const bool is_prose = file.extension() == ".md";
  if (!is_prose && columns_of(line) > kColumns) {
    offend("columns", "wrap it: " + std::to_string(columns_of(line)) + " columns, 100 allowed");
  }
  if (file.is_cpp() && line.find('\t') != line.npos) offend("tabs", "indent by two spaces");
  if (line.ends_with('\r')) offend("line ends", "end lines with \\n alone");
  for (const std::string_view note : kNotes) {
    if (has_word(line, note)) offend("notes", "do it now, or write down the limit as a fact");
  }
  for (const std::string_view path : kMachinePaths) {
    if (line.find(path) != line.npos) {
      offend("machine path", "nobody else has " + std::string(path) + "; name it from the project");
    }
  }
  if (file.is_header() && code_of(line).find("using namespace") != std::string::npos) {
    offend("using namespace", "every file that includes this gets those names; name what you use");
  }
}

}  // namespace

Offences check_text(const std::vector<SourceFile>& files) {
  Offences offences;
  for (const SourceFile& file : files) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      check_line(file, i + 1, file.lines[i], offences);
    }
    if (file.is_header() && std::ranges::find(file.lines, "#pragma once") == file.lines.end()) {
      offences.push_back({file.path, 1, "pragma once", "begin the header with #pragma once"});
    }
  }
  return offences;
}

Offences check_clocks(const std::vector<SourceFile>& files) {
  Offences offences;
  for (const SourceFile& file : files) {
    if (!file.is_cpp()) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string code = code_of(file.lines[i]);
      for (const std::string_view call : kUnseeded) {
        if (!has_word(code, call) || is_permitted(file, call)) continue;
        offences.push_back({file.path, i + 1, "clocks",
                            std::string(call) +
                                " makes runs that cannot be repeated; take the "
                                "Clock or the seed that was passed in, or wait for an event"});
      }
    }
  }
  return offences;
}

Offences check_length(const std::vector<SourceFile>& files) {
  Offences offences;
  for (const SourceFile& file : files) {
    if (!file.is_cpp()) continue;
    const auto longer = std::ranges::find(kLonger, file.path, &Longer::path);
    const std::size_t allowed = longer == kLonger.end() ? kLines : longer->lines;
    if (file.lines.size() > allowed) {
      offences.push_back({file.path, allowed + 1, "length",
                          "split it by what it does: " + std::to_string(file.lines.size()) +
                              " lines, " + std::to_string(allowed) + " allowed"});
    }
    if (longer != kLonger.end() && file.lines.size() < longer->lines) {
      offences.push_back({file.path, 1, "length",
                          "it has got shorter: lower its number in the list to " +
                              std::to_string(file.lines.size()) + ", or strike it out"});
    }
  }
  return offences;
}

}  // namespace thalweg::tidy
