#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "rules.h"

namespace thalweg::tidy {
namespace {

std::string_view folder_of(std::string_view path) { return path.substr(0, path.rfind('/') + 1); }
std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// The words of a CMake line: what stands between spaces, brackets and quotes, without a comment.
std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view kBetween = " \t()\"";
  line = line.substr(0, line.find('#'));
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(kBetween);
    if (begin == line.npos) return words;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(kBetween), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

/// Whether `word` in the CMake file `list` means `file`: by its path from there, by its path below
/// the layer's public headers, or by a path that begins with a variable.
bool means(std::string_view word, const SourceFile& list, const SourceFile& file) {
  if (name_of(word) != name_of(file.path)) return false;
  if (const std::size_t variable = word.rfind('}'); variable != word.npos) {
    return file.path.ends_with(word.substr(word.find('/', variable) + 1));
  }
  const std::filesystem::path folder(folder_of(list.path));
  const std::filesystem::path headers =
      folder / "include" / "thalweg" / folder.parent_path().filename();
  return (folder / word).lexically_normal() == file.path ||
         (headers / word).lexically_normal() == file.path;
}

/// Whether some line of `list` names `file`: without its ending if the list appends that to names
/// (`${name}.cc`).
bool names(const SourceFile& list, const SourceFile& file) {
  const bool adds_endings = std::ranges::any_of(
      list.lines, [](std::string_view line) { return line.find("}.cc") != line.npos; });
  return std::ranges::any_of(list.lines, [&](std::string_view line) {
    return std::ranges::any_of(words_of(line), [&](std::string_view word) {
      return means(word, list, file) ||
             (adds_endings && means(std::string(word) + ".cc", list, file));
    });
  });
}

bool is_listed(const SourceFile& file, const std::vector<SourceFile>& files) {
  return std::ranges::any_of(files, [&](const SourceFile& list) {
    return list.is_cmake() && list.folder() == file.folder() && names(list, file);
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
                          "name it in a CMakeLists.txt of its layer, or delete it: what is not "
                          "listed is not built"});
    }
  }
  return offences;
}

}  // namespace thalweg::tidy
