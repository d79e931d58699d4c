#include "thalweg_cli/cli_run.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <ostream>
#include <sys/wait.h>
#include <unistd.h>

#include "end_to_end/shop_process.h"

namespace thalweg::cli_story {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

boost::json::value Ran::json() const { return boost::json::parse(out); }

void PrintTo(const Ran& ran, std::ostream* out) {
  *out << "exit " << ran.code << "\nstandard output:\n"
       << ran.out << "\nstandard error:\n"
       << ran.err;
}

Ran thalweg(const std::vector<std::string>& arguments, const std::string& input) {
  const end_to_end::TemporaryDirectory directory;
  const std::string base = directory.path().string();
  std::ofstream(base + "/in", std::ios::binary) << input;
  // What the caller's shell has set is not part of the story.
  std::string command = "env -u THALWEG_URL -u THALWEG_TOKEN " THALWEG_CLI_BINARY;
  for (const auto& argument : arguments) command += ' ' + quoted(argument);
  command += " < " + base + "/in > " + base + "/out 2> " + base + "/err";
  const int status = std::system(command.c_str());
  return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          .out = text_of(base + "/out"),
          .err = text_of(base + "/err")};
}

std::string golden_path(const std::string& name) { return THALWEG_CLI_GOLDEN "/" + name; }

std::string golden(const std::string& name) { return text_of(golden_path(name)); }

}  // namespace thalweg::cli_story
