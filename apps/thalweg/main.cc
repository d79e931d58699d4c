// thalweg: looks into applications and changes what they hold. docs/cli.md shows every command.

#include <exception>

#include <CLI/CLI.hpp>

#include "command_line.h"
#include "context.h"
#include "exit_codes.h"
#include "server.h"

namespace {

using namespace thalweg::cli;

int complain(std::string_view message, std::string_view hint, int code) {
  remark("thalweg: " + std::string(message));
  if (!hint.empty()) remark("  " + std::string(hint));
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Looks into Thalweg applications and changes what they hold", "thalweg");
  Context context;
  declare_commands(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    if (const auto unknown = unknown_command(app)) {
      if (unknown->word == "help") {
        print(app.help());
        return kDone;
      }
      return complain("there is no command '" + unknown->behind + ' ' + unknown->word + "'",
                      unknown->like.empty()
                          ? "`" + unknown->behind + " --help` names those there are"
                          : "did you mean `" + unknown->behind + ' ' + unknown->like + "`?",
                      kUsage);
    }
    return complain(error.what(), "--help after any command says what it takes", kUsage);
  }
  try {
    return context.run();
  } catch (const CommandError& error) {
    return complain(error.what(), error.hint(), error.code());
  } catch (const std::exception& error) {
    return complain(error.what(), "", kFailed);
  }
}
