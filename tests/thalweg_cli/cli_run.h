#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include <boost/json.hpp>

namespace thalweg::cli_story {

/// How a call of the tool ended, and what it wrote.
struct Ran {
  int code = -1;  ///< 128 + n when signal n ended it.
  std::string out;
  std::string err;

  /// Standard output as JSON; throws if it is none.
  boost::json::value json() const;
};
void PrintTo(const Ran& ran, std::ostream* out);

/// Runs `thalweg` with these arguments, as a shell would: neither its input nor its output is a
/// terminal.
Ran thalweg(const std::vector<std::string>& arguments, const std::string& input = {});

/// The text of a file of this folder's `golden`.
std::string golden(const std::string& name);
/// Where that file is.
std::string golden_path(const std::string& name);

}  // namespace thalweg::cli_story
