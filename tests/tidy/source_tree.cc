#include "source_tree.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <sstream>

namespace thalweg::tidy {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 6> kRead = {".cc", ".h", ".cmake", ".fbs", ".sh", ".md"};

bool is_read(const fs::path& path) {
  return path.filename() == "CMakeLists.txt" ||
         std::ranges::find(kRead, path.extension().string()) != kRead.end();
}

/// Build trees, run-time data and hidden folders are not sources.
bool is_skipped(const fs::path& folder) {
  const std::string name = folder.filename().string();
  return name.starts_with('.') || name == "build" || name == "data" ||
         fs::exists(folder / "CMakeCache.txt");
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

}  // namespace

std::string_view SourceFile::folder() const {
  const std::size_t slash = path.find('/');
  return slash == path.npos ? std::string_view{} : std::string_view(path).substr(0, slash);
}

std::string_view SourceFile::extension() const {
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  return dot == name.npos ? std::string_view{} : name.substr(dot);
}

bool SourceFile::is_public_header() const {
  return is_header() && path.find("/include/thalweg/") != path.npos;
}

bool SourceFile::is_cmake() const {
  return path.ends_with("CMakeLists.txt") || extension() == ".cmake";
}

std::string to_string(const Offence& offence) {
  return offence.path + ':' + std::to_string(offence.line) + ": " + offence.rule + ": " +
         offence.advice;
}

SourceFile file_of(std::string path, std::string_view text) {
  SourceFile file{std::move(path), {}};
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) file.lines.push_back(line);
  return file;
}

std::vector<SourceFile> read_source_tree(const fs::path& root) {
  std::vector<SourceFile> files;
  fs::recursive_directory_iterator walk(root);
  for (const fs::directory_entry& entry : walk) {
    if (entry.is_directory() && is_skipped(entry.path())) walk.disable_recursion_pending();
    if (!entry.is_regular_file() || !is_read(entry.path())) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    files.push_back(file_of(fs::relative(entry.path(), root).generic_string(), text.str()));
  }
  std::ranges::sort(files, {}, &SourceFile::path);
  return files;
}

std::string code_of(std::string_view line) {
  std::string code;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote != 0) {
      if (c == '\\') ++i;
      if (c == quote) {
        quote = 0;
        code += c;
      }
      continue;
    }
    if (line.substr(i).starts_with("//")) break;
    const bool is_digit_separator = c == '\'' && i > 0 && is_word(line[i - 1]);
    if ((c == '"' || c == '\'') && !is_digit_separator) quote = c;
    code += c;
  }
  return code;
}

bool has_word(std::string_view line, std::string_view word) {
  for (std::size_t at = line.find(word); at != line.npos; at = line.find(word, at + 1)) {
    const std::size_t after = at + word.size();
    const bool begins = at == 0 || !is_word(word.front()) || !is_word(line[at - 1]);
    const bool ends = after == line.size() || !is_word(word.back()) || !is_word(line[after]);
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace thalweg::tidy
