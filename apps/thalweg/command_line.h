#pragma once

#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace thalweg::cli {

struct Context;

/// Declares every command and option; parsing fills `context`.
void declare_commands(CLI::App& app, Context& context);

/// The first word of a command line that was refused for its lack of a command, with the command it
/// stood behind.
struct UnknownCommand {
  std::string word;
  std::string behind;  ///< "thalweg stores"
  std::string like;    ///< The command that is most like it; empty: none is.
};
/// Absent when something else was wrong with what `app` has tried to read.
std::optional<UnknownCommand> unknown_command(const CLI::App& app);

}  // namespace thalweg::cli
