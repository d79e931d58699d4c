#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "rules.h"

namespace thalweg::tidy {
namespace {

constexpr std::array<std::string_view, 4> kLayers = {"schemas", "state", "topology", "runtime"};

/// A layer's height; folders that are no layer (apps, tests, bench) stand above all.
std::size_t height(std::string_view folder) {
  return static_cast<std::size_t>(std::ranges::find(kLayers, folder) - kLayers.begin());
}

bool is_layer(std::string_view folder) { return height(folder) < kLayers.size(); }

struct Library {
  std::string_view include;             ///< How its headers begin.
  std::vector<std::string_view> homes;  ///< The paths that may include it.
  bool is_heavy = false;                ///< Slows down every file that sees it.
};

/// The third-party libraries of the project, the longest prefix first where one begins another.
const std::vector<Library>& libraries() {
  static const std::vector<Library> kLibraries = {
      {"flatbuffers/", {"schemas/", "apps/", "tests/"}},
      {"rocksdb/", {"state/", "runtime/embedded/", "tests/state/", "bench/"}, true},
      {"librdkafka/", {"runtime/kafka/", "tests/kafka/", "bench/peer/kafka_topics.cc"}, true},
      {"boost/container/", {"state/"}},
      {"boost/unordered/", {"state/", "topology/", "runtime/", "apps/", "tests/", "bench/"}},
      {"boost/uuid/", {"runtime/", "apps/", "tests/"}},
      {"boost/json/fwd.hpp", {"schemas/", "runtime/", "apps/", "tests/"}},
      {"boost/json", {"schemas/", "runtime/", "apps/", "tests/"}, true},
      {"boost/asio", {"runtime/http", "runtime/query/", "apps/", "tests/"}, true},
      {"boost/beast", {"runtime/http", "runtime/query/", "apps/", "tests/"}, true},
      {"boost/system/", {"runtime/http", "runtime/query/", "schemas/", "apps/", "tests/"}},
      {"spdlog/", {"runtime/", "apps/", "tests/", "bench/"}, true},
      {"fmt/", {"runtime/", "apps/", "tests/", "bench/"}},
      {"toml++/", {"runtime/config/"}, true},
      {"CLI/", {"runtime/config/", "apps/", "tests/", "bench/"}, true},
      {"lz4", {"runtime/embedded/"}},
      {"openssl/", {"apps/", "tests/"}, true},
      {"gtest/", {"tests/"}},
      {"gmock/", {"tests/"}},
      {"rapidcheck", {"tests/"}},
      {"benchmark/", {"bench/"}},
  };
  return kLibraries;
}

/// The operating system's own headers, by file name or folder.
bool is_system(std::string_view header) {
  static constexpr std::string_view kHeaders[] = {"dirent.h",  "errno.h",   "fcntl.h",  "netdb.h",
                                                  "poll.h",    "pthread.h", "sched.h",  "signal.h",
                                                  "spawn.h",   "stdlib.h",  "syslog.h", "termios.h",
                                                  "threads.h", "time.h",    "unistd.h"};
  static constexpr std::string_view kFolders[] = {"sys/", "netinet/", "arpa/", "linux/", "net/"};
  return std::ranges::find(kHeaders, header) != std::ranges::end(kHeaders) ||
         std::ranges::any_of(kFolders, [&](auto folder) { return header.starts_with(folder); });
}

/// The standard library's headers have neither a folder nor an ending; the C++ ABI comes with it.
bool is_standard(std::string_view header) {
  return header.find_first_of("/.") == header.npos || header == "cxxabi.h";
}

struct Include {
  std::string header;
  bool is_quoted;
};

std::optional<Include> include_of(std::string_view line) {
  constexpr std::string_view kInclude = "#include ";
  if (!line.starts_with(kInclude) || line.size() < kInclude.size() + 2) return std::nullopt;
  const char open = line[kInclude.size()];
  if (open != '<' && open != '"') return std::nullopt;
  const std::size_t end = line.find(open == '<' ? '>' : '"', kInclude.size() + 1);
  const std::size_t begin = kInclude.size() + 1;
  return Include{std::string(line.substr(begin, end - begin)), open == '"'};
}

template <typename Check>
void for_each_include(const std::vector<SourceFile>& files, Check check) {
  for (const SourceFile& file : files) {
    if (!file.is_cpp()) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      if (const auto include = include_of(file.lines[i])) check(file, i + 1, *include);
    }
  }
}

/// The layer whose public header `header` is: `thalweg/<layer>/...`.
std::string_view layer_of(std::string_view header) {
  constexpr std::string_view kPrefix = "thalweg/";
  if (!header.starts_with(kPrefix)) return {};
  header.remove_prefix(kPrefix.size());
  return header.substr(0, header.find('/'));
}

std::string joined(const std::vector<std::string_view>& homes) {
  std::string all;
  for (const std::string_view home : homes) all += (all.empty() ? "" : ", ") + std::string(home);
  return all;
}

void check_library(const SourceFile& file, std::size_t line, const std::string& header,
                   Offences& offences) {
  const auto found = std::ranges::find_if(
      libraries(), [&](const Library& library) { return header.starts_with(library.include); });
  if (found == libraries().end()) {
    offences.push_back({file.path, line, "third-party include",
                        "<" + header +
                            "> is in no row of the table of libraries; use what the "
                            "project has, or add a row with the folders that may include it"});
    return;
  }
  if (std::ranges::none_of(found->homes, [&](auto home) { return file.is_in(home); })) {
    offences.push_back({file.path, line, "third-party include",
                        "<" + header + "> belongs to " + joined(found->homes) +
                            "; put what needs it there and give it an interface without it"});
  } else if (found->is_heavy && file.is_public_header()) {
    offences.push_back({file.path, line, "heavy header",
                        "<" + header +
                            "> slows down everyone who includes this; declare what is "
                            "needed and include it in the .cc"});
  }
}

}  // namespace

Offences check_layers(const std::vector<SourceFile>& files) {
  Offences offences;
  for_each_include(files, [&](const SourceFile& file, std::size_t line, const Include& include) {
    const std::string_view layer = layer_of(include.header);
    if (include.is_quoted && (!layer.empty() || include.header.starts_with("../"))) {
      offences.push_back(
          {file.path, line, "include style",
           "public headers are included as <thalweg/...>, private ones by their path "
           "from the layer's folder"});
    } else if (!layer.empty() && !is_layer(layer)) {
      offences.push_back({file.path, line, "layers", "there is no layer " + std::string(layer)});
    } else if (!layer.empty() && height(layer) > height(file.folder())) {
      offences.push_back({file.path, line, "layers",
                          std::string(file.folder()) + " may not know " + std::string(layer) +
                              "; let the upper layer pass in what is needed"});
    }
    const bool reaches_inside = include.is_quoted &&
                                is_layer(include.header.substr(0, include.header.find('/'))) &&
                                is_layer(file.folder());
    if (reaches_inside) {
      offences.push_back(
          {file.path, line, "layers",
           "\"" + include.header + "\" is private to its layer; use a public header"});
    }
  });
  return offences;
}

Offences check_third_party(const std::vector<SourceFile>& files) {
  Offences offences;
  for_each_include(files, [&](const SourceFile& file, std::size_t line, const Include& include) {
    if (include.is_quoted || !layer_of(include.header).empty() || is_standard(include.header)) {
      return;
    }
    if (is_system(include.header)) {
      if (file.folder() != "schemas" && file.folder() != "topology") return;
      offences.push_back({file.path, line, "system include",
                          "the operating system is called from state, runtime and apps only"});
      return;
    }
    check_library(file, line, include.header, offences);
  });
  return offences;
}

}  // namespace thalweg::tidy
