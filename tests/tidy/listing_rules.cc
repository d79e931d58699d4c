#include <algorithm>
#include <string>
#include <string_view>

#include "rules.h"

namespace thalweg::tidy {
namespace {

std::string_view folder_of(std::string_view path) { return path.substr(0, path.rfind('/') + 1); }
std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// Whether a CMake line names `file` as a word: by any path that ends in its name.
bool names(std::string_view line, std::string_view file) {
  for (std::size_t at = line.find(file); at != line.npos; at = line.find(file, at + 1)) {
    constexpr std::string_view kAround = " \t()\"/$}";
    const std::size_t after = at + file.size();
    const bool begins = at == 0 || kAround.find(line[at - 1]) != kAround.npos;
    const bool ends = after == line.size() || kAround.find(line[after]) != kAround.npos;
    if (begins && ends) return true;
  }
  return false;
}

bool is_listed(const SourceFile& file, const std::vector<SourceFile>& files) {
  return std::ranges::any_of(files, [&](const SourceFile& list) {
    return list.is_cmake() && file.path.starts_with(folder_of(list.path)) &&
           std::ranges::any_of(list.lines, [&](std::string_view line) {
             return names(line.substr(0, line.find('#')), name_of(file.path));
           });
  });
}

bool is_included(const SourceFile& header, const std::vector<SourceFile>& files) {
  const std::string ending(name_of(header.path));
  return std::ranges::any_of(files, [&](const SourceFile& file) {
    return file.is_cpp() && std::ranges::any_of(file.lines, [&](std::string_view line) {
             return line.starts_with("#include \"") &&
                    (line.ends_with("/" + ending + "\"") || line.ends_with("\"" + ending + "\""));
           });
  });
}

}  // namespace

Offences check_listed(const std::vector<SourceFile>& files) {
  Offences offences;
  for (const SourceFile& file : files) {
    if (!file.is_cpp()) continue;
    if (file.is_header() && !file.is_public_header()) {
      if (is_included(file, files)) continue;
      offences.push_back(
          {file.path, 1, "unused header", "include it where it is used, or delete it"});
    } else if (!is_listed(file, files)) {
      offences.push_back({file.path, 1, "not listed",
                          "name it in the CMakeLists.txt of its folder or of one above, or delete "
                          "it: what is not listed is not built"});
    }
  }
  return offences;
}

}  // namespace thalweg::tidy
