#pragma once

namespace CLI {
class App;
}

namespace thalweg::cli {

struct Context;

/// Declares every command and option; parsing fills `context`.
void declare_commands(CLI::App& app, Context& context);

}  // namespace thalweg::cli
