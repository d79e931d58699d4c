#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace thalweg::tidy {

/// One file of the project, as a rule reads it.
struct SourceFile {
  std::string path;  ///< From the root of the project, with slashes.
  std::vector<std::string> lines;

  std::string_view folder() const;     ///< The first folder: `schemas`, `tests`, ...
  std::string_view extension() const;  ///< `.cc`, `.h`, `.cmake`, ...; empty if there is none.
  bool is_cpp() const { return extension() == ".cc" || extension() == ".h"; }
  bool is_header() const { return extension() == ".h"; }
  bool is_public_header() const;
  bool is_cmake() const;
  bool is_in(std::string_view prefix) const { return path.starts_with(prefix); }
};

/// A place that breaks a rule, and what to do about it.
struct Offence {
  std::string path;
  std::size_t line;  ///< From 1.
  std::string rule;
  std::string advice;
};

/// `file:line: rule: what to do instead`.
std::string to_string(const Offence& offence);

using Offences = std::vector<Offence>;

/// Every text file that people write, by path; not what is built or generated.
std::vector<SourceFile> read_source_tree(const std::filesystem::path& root);

/// A file made of text: for the tests of the rules themselves.
SourceFile file_of(std::string path, std::string_view text);

/// `line` without a comment at its end and without the insides of string literals.
std::string code_of(std::string_view line);

/// Whether `word` stands in `line` with no letter, digit or underscore on either side.
bool has_word(std::string_view line, std::string_view word);

}  // namespace thalweg::tidy
